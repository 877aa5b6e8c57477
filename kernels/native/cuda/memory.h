// Memory of the device and its errors, for the host's side.
#pragma once
#include <stdexcept>
#include <string>
#include <vector>

#include "device.h"

namespace cuda {

// Becomes a RuntimeError of the component whose call it was: `cuda.memory` where there is no room, else `cuda.failed`.
class DeviceError : public std::runtime_error {
 public:
  DeviceError(const char* code, const std::string& what) : std::runtime_error(what), code_(code) {}
  const char* code() const { return code_; }

 private:
  const char* code_;
};

void check(cudaError_t error, const char* during);

// A stretch of device memory, freed with its owner.
class Memory {
 public:
  Memory() = default;
  explicit Memory(size_t bytes);
  Memory(Memory&& other) noexcept : at_(other.at_), bytes_(other.bytes_) { other.at_ = nullptr; }
  Memory& operator=(Memory&& other) noexcept;
  ~Memory();

  template <class T>
  T* as() const {
    return static_cast<T*>(at_);
  }
  size_t bytes() const { return bytes_; }

 private:
  void* at_ = nullptr;
  size_t bytes_ = 0;
};

// Memory that is planned once and handed out in order. Under emulation every piece stands alone, so that a step from
// one into the next is found.
class Arena {
 public:
  static constexpr size_t ALIGNMENT = 256;
  explicit Arena(size_t bytes);

  void* take(size_t bytes);
  template <class T>
  T* take(size_t count) {
    return static_cast<T*>(take(count * sizeof(T)));
  }
  static size_t rounded(size_t bytes) { return (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT; }

 private:
  size_t bytes_, used_ = 0;
  Memory whole_;
  std::vector<Memory> pieces_;
};

// Page-locked memory of the host, from which copies need not be waited for.
class HostMemory {
 public:
  explicit HostMemory(size_t bytes);
  HostMemory(const HostMemory&) = delete;
  ~HostMemory();
  char* at() const { return at_; }

 private:
  char* at_ = nullptr;
};

class Stream {
 public:
  Stream();
  Stream(const Stream&) = delete;
  ~Stream();
  operator cudaStream_t() const { return stream_; }
  void wait() const;

 private:
  cudaStream_t stream_ = nullptr;
};

class Event {
 public:
  Event();
  Event(const Event&) = delete;
  ~Event();
  // What comes in `after` from now on waits for what is in `before` until now.
  void order(cudaStream_t before, cudaStream_t after) const;

 private:
  cudaEvent_t event_ = nullptr;
};

}  // namespace cuda
