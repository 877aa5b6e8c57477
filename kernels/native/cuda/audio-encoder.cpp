#include "audio-encoder.h"

#include <algorithm>
#include <cstring>

namespace cuda {

namespace {
constexpr float NORM_EPSILON = 1e-5f;
}  // namespace

AudioEncoder::AudioEncoder(const EncoderShape& shape, const EncoderLimits& limits, size_t weightBytes)
    : Component(weightBytes), shape_(shape), limits_(limits), weightBytes_(weightBytes) {
  size_t integers = 0;
  const auto place = [&integers](size_t count) {
    const size_t at = integers;
    integers += count;
    return at;
  };
  const size_t streams = limits.streams, layers = shape.layers, most = mostRows();
  places_.counts = place(2 + layers);  // streams, rows before every layer and behind the last
  places_.slots = place(streams);
  places_.sources = place(layers * (streams + 1));
  places_.begins = place(layers * (streams + 1));
  places_.x = place(layers * most);
  places_.g = place(layers * most);
  places_.end = integers;
  layers_.resize(layers);
  for (int l = 0; l < shape.layers; l++) {
    const int right = shape.rightOf(l), taps = shape.left + 1 + right / shape.dilation;
    layers_[l].memory = {shape.width, taps, shape.dilation};
    layers_[l].keptG = slotNumbers_;
    slotNumbers_ += static_cast<size_t>(shape.left * shape.dilation + right) * shape.width;
    layers_[l].keptX = slotNumbers_;
    slotNumbers_ += static_cast<size_t>(right) * shape.width;
  }
  stateBytes_ = slotNumbers_ * limits.slots * sizeof(float);
  Plan plan;
  planWork(plan);
  workBytes_ = plan.bytes();
  state_ = Memory(stateBytes_);
  work_ = std::make_unique<Arena>(workBytes_);
  planWork(*work_);
  staging_ = std::make_unique<HostMemory>(places_.end * sizeof(int));
  std::memset(staging_->at(), 0, places_.end * sizeof(int));
  results_ = std::make_unique<HostMemory>(most * (shape.projected + shape.captions) * sizeof(float));
}

template <class Take>
void AudioEncoder::planWork(Take& memory) {
  const size_t most = mostRows(), width = shape_.width, streams = limits_.streams;
  const size_t context = static_cast<size_t>(shape_.left + shape_.right) * shape_.dilation;
  const size_t deep = std::max(shape_.hidden, shape_.projected);
  const auto floats = [&](size_t count) { return memory.template take<float>(count); };
  staged_ = memory.template take<int>(places_.end);
  spliced_ = floats(static_cast<size_t>(limits_.rows) * shape_.inputs);
  x_ = floats(most * width);
  y_ = floats(most * width);
  normed_ = floats(most * width);
  joinedX_ = floats((most + streams * shape_.right * shape_.dilation) * width);
  joinedG_ = floats((most + streams * context) * width);
  wide_ = floats(most * deep);
  deep_ = floats(most * deep);
  vectors_ = floats(most * shape_.projected);
  logits_ = floats(most * shape_.captions);
}

// In the order of deviceTensors() of components/audio-encoder/device-weights.ts.
void AudioEncoder::readWeights() {
  const auto& [inputs, hidden, width, layers, rightLayers, left, right, dilation, after, projected, captions] = shape_;
  before_ = affine(hidden, inputs);
  narrow_ = matrix(width, hidden);
  for (Layer& layer : layers_) {
    layer.memoryWeight = floats(width);
    layer.memoryBias = floats(width);
    layer.kernel = floats(layer.memory.taps * width);
    layer.normWeight = floats(width);
    layer.normBias = floats(width);
    layer.widen = affine(hidden, width);
    layer.narrow = affine(width, hidden);
  }
  for (int i = 0; i < after; i++) after_.push_back(affine(hidden, i == 0 ? width : hidden));
  project_ = affine(projected, hidden);
  output_ = affine(projected, projected);
  if (captions > 0) captions_ = affine(captions, hidden);
}

void AudioEncoder::clear(int slot) {
  float* first = state_.as<float>() + slotNumbers_ * slot;
  check(cudaMemsetAsync(first, 0, slotNumbers_ * sizeof(float), stream_), "a stream's beginning");
}

void AudioEncoder::copy(int from, int to) {
  float* state = state_.as<float>();
  check(cudaMemcpyAsync(state + slotNumbers_ * to, state + slotNumbers_ * from, slotNumbers_ * sizeof(float),
                        cudaMemcpyDeviceToDevice, stream_),
        "a stream's copy");
}

// One layer's rows; `coming` [streams] is what comes to it of every stream, `given` what leaves it. Returns the sum.
int AudioEncoder::fillLayer(const EncoderPass& pass, int layer, const int* coming, int* given) {
  const size_t streams = limits_.streams, most = mostRows();
  const int right = shape_.rightOf(layer), context = shape_.left * shape_.dilation + right;
  int* sources = staging() + places_.sources + layer * (streams + 1);
  int* begins = staging() + places_.begins + layer * (streams + 1);
  int* x = staging() + places_.x + layer * most;
  int* g = staging() + places_.g + layer * most;
  int rows = 0;
  sources[0] = begins[0] = 0;
  for (int s = 0; s < pass.streams; s++) {
    int& seen = pass.seen[s * shape_.layers + layer];
    const int all = coming[s] + (pass.isEnding[s] ? right : 0), skipped = std::min(all, right - seen);
    sources[s + 1] = sources[s] + coming[s];
    begins[s + 1] = begins[s] + all;
    for (int i = skipped; i < all; i++, rows++) {
      x[rows] = begins[s] + s * right + i;
      g[rows] = begins[s] + s * context + i;
    }
    given[s] = all - skipped;
    seen = std::min(right, seen + coming[s]);
  }
  return rows;
}

int AudioEncoder::fill(const EncoderPass& pass, int* given) {
  int* counts = staging() + places_.counts;
  std::copy_n(pass.slots, pass.streams, staging() + places_.slots);
  std::copy_n(pass.rows, pass.streams, given);
  counts[0] = pass.streams;
  counts[1] = 0;
  for (int s = 0; s < pass.streams; s++) counts[1] += pass.rows[s];
  std::vector<int> coming(pass.streams);
  for (int l = 0; l < shape_.layers; l++) {
    std::copy_n(given, pass.streams, coming.data());
    counts[2 + l] = fillLayer(pass, l, coming.data(), given);
  }
  return counts[1 + shape_.layers];
}

void AudioEncoder::step(const EncoderPass& pass, int* counts, float* vectors, float* captions) {
  const int count = fill(pass, counts), rows = staging()[places_.counts + 1];
  const bool isEnding = std::any_of(pass.isEnding, pass.isEnding + pass.streams, [](int flag) { return flag != 0; });
  const int streams = bucketOf(pass.streams, limits_.streams), mostRows = bucketOf(rows, limits_.rows);
  if (rows > 0)
    check(cudaMemcpyAsync(spliced_, pass.spliced, static_cast<size_t>(rows) * shape_.inputs * sizeof(float),
                          cudaMemcpyHostToDevice, stream_),
          "spliced vectors");
  graphs_.run({streams, 2 * mostRows + isEnding}, stream_,
              [&] { enqueue(streams, mostRows, mostRows + (isEnding ? streams * shape_.lookAhead() : 0)); });
  float* results = reinterpret_cast<float*>(results_->at());
  const size_t size = static_cast<size_t>(count) * shape_.projected,
               logits = static_cast<size_t>(count) * shape_.captions;
  const auto take = [&](float* to, const float* from, size_t numbers) {
    if (numbers == 0) return;
    check(cudaMemcpyAsync(to, from, numbers * sizeof(float), cudaMemcpyDeviceToHost, stream_), "a pass's vectors");
  };
  take(results, vectors_, size);
  take(results + size, logits_, logits);
  stream_.wait();
  std::memcpy(vectors, results, size * sizeof(float));
  std::memcpy(captions, results + size, logits * sizeof(float));
}

void AudioEncoder::widened(const Affine& affine, const float* x, Rows rows, float* out) {
  linear(affine.matrix, affine.bias, x, rows, nullptr, out, stream_);
  relu6(out, rows, affine.matrix.outputs, out, stream_);
}

void AudioEncoder::enqueue(int streams, int rows, int mostRows) {
  check(cudaMemcpyAsync(staged_, staging_->at(), places_.end * sizeof(int), cudaMemcpyHostToDevice, stream_), "a pass");
  const Rows first = rowsOf(0, rows), last = rowsOf(shape_.layers, mostRows);
  widened(before_, spliced_, first, wide_);
  linear(narrow_, nullptr, wide_, first, nullptr, x_, stream_);
  for (int l = 0; l < shape_.layers; l++) enqueueLayer(layers_[l], l, streams, mostRows);
  const float* x = x_;
  float *wide = wide_, *deep = deep_;
  for (const Affine& affine : after_) {
    widened(affine, x, last, wide);
    x = wide;
    std::swap(wide, deep);
  }
  if (shape_.captions > 0) linear(captions_.matrix, captions_.bias, x, last, nullptr, logits_, stream_);
  linear(project_.matrix, project_.bias, x, last, nullptr, wide, stream_);
  gelu(wide, last, shape_.projected, wide, stream_);
  linear(output_.matrix, output_.bias, wide, last, nullptr, vectors_, stream_);
  check(cudaGetLastError(), "a pass");
}

// From x_ to x_.
void AudioEncoder::enqueueLayer(const Layer& layer, int index, int streams, int mostRows) {
  const size_t table = limits_.streams + 1, rows = this->mostRows();
  const int width = shape_.width, right = shape_.rightOf(index);
  const Rows coming = rowsOf(index, mostRows), leaving = rowsOf(index + 1, mostRows);
  const int* sources = staged_ + places_.sources + index * table;
  const StreamRows all = {streams, staged_ + places_.counts, staged_ + places_.slots,
                          staged_ + places_.begins + index * table, 1};
  const auto kept = [&](size_t place, int count) {
    return Kept{state_.as<float>() + place, static_cast<int64_t>(slotNumbers_), count, width};
  };
  const Kept g = kept(layer.keptG, (layer.memory.taps - 1) * layer.memory.dilation), x = kept(layer.keptX, right);
  layerNorm(x_, layer.memoryWeight, layer.memoryBias, coming, width, NORM_EPSILON, normed_, stream_);
  joinKept(g, all, mostRows, normed_, sources, nullptr, joinedG_, stream_);
  joinKept(x, all, mostRows, x_, sources, nullptr, joinedX_, stream_);
  keepLast(g, all, joinedG_, stream_);
  keepLast(x, all, joinedX_, stream_);
  const FsmnRows from = {staged_ + places_.x + index * rows, staged_ + places_.g + index * rows};
  fsmn(layer.kernel, layer.memory, joinedX_, joinedG_, from, leaving, y_, stream_);
  layerNorm(y_, layer.normWeight, layer.normBias, leaving, width, NORM_EPSILON, normed_, stream_);
  widened(layer.widen, normed_, leaving, wide_);
  linear(layer.narrow.matrix, layer.narrow.bias, wide_, leaving, y_, x_, stream_);
}

}  // namespace cuda
