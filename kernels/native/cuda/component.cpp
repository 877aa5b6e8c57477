#include "component.h"

#include <algorithm>

namespace cuda {

namespace {

// What is kept of graphs; further shapes run without one.
constexpr size_t MOST_GRAPHS = 128;

cudaGraphExec_t recorded(const Stream& stream, const std::function<void()>& enqueue) {
  check(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "a graph");
  enqueue();
  cudaGraph_t graph;
  cudaGraphExec_t executable;
  check(cudaStreamEndCapture(stream, &graph), "a graph");
  check(cudaGraphInstantiate(&executable, graph, 0), "a graph");
  check(cudaGraphDestroy(graph), "a graph");
  return executable;
}

}  // namespace

Graphs::~Graphs() {
  for (const auto& [shape, graph] : graphs_) cudaGraphExecDestroy(graph);
}

void Graphs::run(Shape shape, const Stream& stream, const std::function<void()>& enqueue) {
  auto graph = graphs_.find(shape);
  if (graph == graphs_.end() && graphs_.size() < MOST_GRAPHS)
    graph = graphs_.emplace(shape, recorded(stream, enqueue)).first;
  if (graph == graphs_.end()) enqueue();
  else check(cudaGraphLaunch(graph->second, stream), "a step's graph");
}

int bucketOf(int count, int most) {
  if (count == 0) return 0;
  int bucket = 1;
  while (bucket < count) bucket *= 2;
  return std::min(bucket, most);
}

void Component::load(const void* values, size_t count, bool isBfloat16) {
  const size_t bytes = count * (isBfloat16 ? sizeof(Bfloat16) : sizeof(float));
  void* to = weights_.take(bytes);
  check(cudaMemcpy(to, values, bytes, cudaMemcpyHostToDevice), "loading a weight");
  loaded_.push_back({to, count, isBfloat16});
}

void Component::finishLoading() {
  next_ = 0;
  readWeights();
  if (next_ != loaded_.size()) throw DeviceError("cuda.failed", "more weights were loaded than the model has");
  loaded_.clear();
}

Matrix Component::matrix(int outputs, int inputs) {
  if (next_ >= loaded_.size() || loaded_[next_].count != static_cast<size_t>(outputs) * inputs)
    throw DeviceError("cuda.failed", "a weight is missing");
  const Weight& weight = loaded_[next_++];
  return {weight.values, outputs, inputs, weight.isBfloat16};
}

const float* Component::floats(int count) {
  const Matrix found = matrix(1, count);
  if (found.isBfloat16) throw DeviceError("cuda.failed", "a vector is not held as floats");
  return static_cast<const float*>(found.values);
}

Component::Affine Component::affine(int outputs, int inputs) {
  const Matrix weight = matrix(outputs, inputs);
  return {weight, floats(outputs)};
}

}  // namespace cuda
