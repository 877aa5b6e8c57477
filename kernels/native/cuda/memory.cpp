#include "memory.h"

#include <utility>

namespace cuda {

void check(cudaError_t error, const char* during) {
  if (error == cudaSuccess) return;
  const std::string what = std::string(during) + ": " + cudaGetErrorString(error);
  if (error == cudaErrorMemoryAllocation) {
    cudaGetLastError();  // This one does not stay: the next call may succeed.
    size_t free = 0, total = 0;
    cudaMemGetInfo(&free, &total);
    throw DeviceError("cuda.memory",
                      what + ", " + std::to_string(free >> 20) + " of " + std::to_string(total >> 20) + " MiB free");
  }
  throw DeviceError("cuda.failed", what);
}

Memory::Memory(size_t bytes) : bytes_(bytes) {
  if (bytes > 0) check(cudaMalloc(&at_, bytes), ("memory of " + std::to_string(bytes) + " bytes").c_str());
}

Memory& Memory::operator=(Memory&& other) noexcept {
  std::swap(at_, other.at_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

Memory::~Memory() {
  if (at_) cudaFree(at_);
}

#if defined(CUDA_EMULATION)
Arena::Arena(size_t bytes) : bytes_(bytes) {}
#else
Arena::Arena(size_t bytes) : bytes_(bytes), whole_(bytes) {}
#endif

void* Arena::take(size_t bytes) {
  const size_t begin = used_;
  used_ += rounded(bytes);
  if (used_ > bytes_) throw DeviceError("cuda.failed", "more memory was taken than was planned");
#if defined(CUDA_EMULATION)
  pieces_.emplace_back(bytes);
  (void)begin;
  return pieces_.back().as<void>();
#else
  return whole_.as<char>() + begin;
#endif
}

HostMemory::HostMemory(size_t bytes) {
  void* at;
  check(cudaMallocHost(&at, bytes), "memory of the host");
  at_ = static_cast<char*>(at);
}

HostMemory::~HostMemory() { cudaFreeHost(at_); }

Stream::Stream() { check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "a stream"); }
Stream::~Stream() { cudaStreamDestroy(stream_); }
void Stream::wait() const { check(cudaStreamSynchronize(stream_), "a step"); }

Event::Event() { check(cudaEventCreateWithFlags(&event_, cudaEventDisableTiming), "an event"); }
Event::~Event() { cudaEventDestroy(event_); }

void Event::order(cudaStream_t before, cudaStream_t after) const {
  check(cudaEventRecord(event_, before), "an event");
  check(cudaStreamWaitEvent(after, event_, 0), "an event");
}

}  // namespace cuda
