// cudaMalloc, streams, events and graphs. Work in streams is only noted; when somebody waits it is done in an order
// that the streams and events allow, else by lot: who forgot an event, or changes memory before its copy took place, is
// found out.
#include <cstdlib>
#include <mutex>
#include <string>
#include <utility>

#include "emulator.h"

namespace emulation {

struct Node {
  Work work;
  std::vector<std::shared_ptr<Node>> after;
  bool done = false;
};

struct Graph {
  std::vector<std::shared_ptr<Node>> nodes;
  std::vector<Stream*> streams;  // while it is captured
};

struct Stream {
  std::shared_ptr<Node> last;
  std::vector<std::shared_ptr<Node>> waited;  // events that the next work comes after
  Graph* capture = nullptr;
  std::shared_ptr<Node> beforeCapture;  // what comes after the capture still comes after it
};

struct Event {
  std::shared_ptr<Node> node;
  Graph* capture = nullptr;
};

namespace {

constexpr size_t MEMORY_BYTES = size_t{2} << 30;
// Around every allocation, so that a write outside, once reported, does no harm.
constexpr size_t MARGIN = 4096;

thread_local std::vector<std::shared_ptr<Node>> pending;
thread_local Stream defaultStream;
thread_local std::string lastMessage;

std::mutex accounting;
size_t used = 0;
std::vector<std::pair<void*, size_t>> allocations;

Stream& of(Stream* stream) { return stream ? *stream : defaultStream; }

void add(Stream* stream, Work work) {
  Stream& s = of(stream);
  auto node = std::make_shared<Node>();
  node->work = std::move(work);
  node->after = std::move(s.waited);
  s.waited.clear();
  if (s.last) node->after.push_back(s.last);
  s.last = node;
  if (s.capture) s.capture->nodes.push_back(node);
  else pending.push_back(node);
}

// All nodes, one that can be done after the other, by lot.
void runNodes(std::vector<std::shared_ptr<Node>> nodes) {
  for (const auto& node : nodes) node->done = false;
  while (!nodes.empty()) {
    std::vector<size_t> possible;
    for (size_t i = 0; i < nodes.size(); i++) {
      bool isFree = true;
      for (const auto& before : nodes[i]->after) isFree = isFree && before->done;
      if (isFree) possible.push_back(i);
    }
    const size_t chosen = possible[order().below(static_cast<uint32_t>(possible.size()))];
    nodes[chosen]->work();
    nodes[chosen]->done = true;
    nodes.erase(nodes.begin() + static_cast<ptrdiff_t>(chosen));
  }
}

void runPending() {
  const std::vector<std::shared_ptr<Node>> nodes = std::exchange(pending, {});
  runNodes(nodes);
  for (const auto& node : nodes)
    node->after.clear();  // Else the first work of a stream would live as long as the stream.
}

// Everything that `node` comes after, itself included, is taken out of `nodes`.
void strike(const std::shared_ptr<Node>& node, std::vector<std::shared_ptr<Node>>& nodes) {
  for (size_t i = 0; i < nodes.size(); i++) {
    if (nodes[i] != node) continue;
    nodes.erase(nodes.begin() + static_cast<ptrdiff_t>(i));
    for (const auto& before : node->after) strike(before, nodes);
    return;
  }
}

cudaError_t finish() {
  runPending();
  return hasReport() ? cudaErrorIllegalAddress : cudaSuccess;
}

void copy(void* to, const void* from, size_t bytes, cudaMemcpyKind kind) {
  if (kind != cudaMemcpyDeviceToHost && !isInRegion(to, bytes))
    return report("a copy of " + std::to_string(bytes) + " bytes to outside of the device's memory");
  if (kind != cudaMemcpyHostToDevice && !isInRegion(from, bytes))
    return report("a copy of " + std::to_string(bytes) + " bytes from outside of the device's memory");
  std::memcpy(to, from, bytes);
  if (kind != cudaMemcpyDeviceToHost) markWritten(to, bytes);
}

}  // namespace

void enqueue(const void* kernel, dim3 grid, dim3 block, size_t sharedBytes, Stream* stream, Work thread) {
  add(stream, [=] { runLaunch({kernel, grid, block, sharedBytes, thread}); });
}

}  // namespace emulation

using namespace emulation;

cudaError_t cudaGetDeviceCount(int* count) {
  *count = 1;
  return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int) {
  *properties = {"emulation on this machine's processor", 0, 0, 1, MEMORY_BYTES};
  return cudaSuccess;
}

cudaError_t cudaMemGetInfo(size_t* free, size_t* total) {
  const std::lock_guard<std::mutex> held(accounting);
  *total = MEMORY_BYTES;
  *free = MEMORY_BYTES - used;
  return cudaSuccess;
}

cudaError_t cudaMalloc(void** memory, size_t bytes) {
  const std::lock_guard<std::mutex> held(accounting);
  if (used + bytes > MEMORY_BYTES) return cudaErrorMemoryAllocation;
  // Under the address sanitizer nothing lies between the memory and its red zone.
#if defined(__SANITIZE_ADDRESS__)
  constexpr size_t margin = 0;
#else
  constexpr size_t margin = MARGIN;
#endif
  void* whole = nullptr;
  if (posix_memalign(&whole, 256, bytes + 2 * margin + (margin ? 0 : 1)) != 0) return cudaErrorMemoryAllocation;
  std::memset(whole, 0xff, bytes + 2 * margin);
  *memory = static_cast<char*>(whole) + margin;
  addRegion(*memory, bytes, "device memory");
  used += bytes;
  allocations.emplace_back(*memory, bytes);
  return cudaSuccess;
}

cudaError_t cudaFree(void* memory) {
  if (!memory) return cudaSuccess;
  runPending();
  const std::lock_guard<std::mutex> held(accounting);
  for (size_t i = 0; i < allocations.size(); i++) {
    if (allocations[i].first != memory) continue;
    used -= allocations[i].second;
    allocations.erase(allocations.begin() + static_cast<ptrdiff_t>(i));
    removeRegion(memory);
#if defined(__SANITIZE_ADDRESS__)
    std::free(memory);
#else
    std::free(static_cast<char*>(memory) - MARGIN);
#endif
    return cudaSuccess;
  }
  return cudaErrorInvalidValue;
}

cudaError_t cudaMallocHost(void** memory, size_t bytes) {
  *memory = std::calloc(1, bytes + 1);
  return *memory ? cudaSuccess : cudaErrorMemoryAllocation;
}

cudaError_t cudaFreeHost(void* memory) {
  runPending();
  std::free(memory);
  return cudaSuccess;
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind, cudaStream_t stream) {
  add(stream, [=] { copy(to, from, bytes, kind); });
  return cudaSuccess;
}

cudaError_t cudaMemcpy(void* to, const void* from, size_t bytes, cudaMemcpyKind kind) {
  cudaMemcpyAsync(to, from, bytes, kind, nullptr);
  return finish();
}

cudaError_t cudaMemsetAsync(void* memory, int value, size_t bytes, cudaStream_t stream) {
  add(stream, [=] {
    if (!isInRegion(memory, bytes)) return report("a fill outside of the device's memory");
    std::memset(memory, value, bytes);
    markWritten(memory, bytes);
  });
  return cudaSuccess;
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  *stream = new Stream;
  return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  runPending();
  delete stream;
  return cudaSuccess;
}

// Waits for everything of this thread, which is more than is asked for and never less.
cudaError_t cudaStreamSynchronize(cudaStream_t) { return finish(); }

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  *event = new Event;
  return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  delete event;
  return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  event->node = of(stream).last;
  event->capture = of(stream).capture;
  return cudaSuccess;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  // A stream that waits for captured work is captured from then on.
  if (event->capture && !of(stream).capture) {
    of(stream).capture = event->capture;
    of(stream).beforeCapture = std::exchange(of(stream).last, nullptr);
    event->capture->streams.push_back(&of(stream));
  }
  if (event->node) of(stream).waited.push_back(event->node);
  return cudaSuccess;
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode) {
  stream->capture = new Graph;
  stream->beforeCapture = std::exchange(stream->last, nullptr);
  stream->capture->streams.push_back(stream);
  return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  *graph = stream->capture;
  if (!*graph) return cudaErrorInvalidValue;
  std::vector<std::shared_ptr<Node>> unjoined = (*graph)->nodes;
  if (stream->last) strike(stream->last, unjoined);
  for (const auto& node : stream->waited) strike(node, unjoined);
  for (Stream* captured : (*graph)->streams) {
    captured->capture = nullptr;
    captured->last = std::exchange(captured->beforeCapture, nullptr);
    captured->waited.clear();
  }
  (*graph)->streams.clear();
  return unjoined.empty() ? cudaSuccess : cudaErrorInvalidValue;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph, unsigned long long) {
  *executable = new Graph(*graph);
  return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream) {
  const std::vector<std::shared_ptr<Node>> nodes = executable->nodes;
  add(stream, [nodes] { runNodes(nodes); });
  return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  delete graph;
  return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
  runPending();
  delete executable;
  return cudaSuccess;
}

cudaError_t cudaGetLastError() { return hasReport() ? cudaErrorIllegalAddress : cudaSuccess; }

const char* cudaGetErrorString(cudaError_t error) {
  switch (error) {
    case cudaSuccess: return "no error";
    case cudaErrorMemoryAllocation: return "out of memory";
    case cudaErrorNoDevice: return "no CUDA-capable device is detected";
    case cudaErrorIllegalAddress: lastMessage = takeReport(); return lastMessage.c_str();
    default: return "invalid argument";
  }
}
