// What the parts of the emulator know of each other.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "cuda.h"

namespace emulation {

constexpr unsigned WARP = 32;
constexpr unsigned MAX_THREADS = 1024;

// One seed decides every order: of blocks, of the lanes between two barriers, of independent work in streams.
class Order {
 public:
  explicit Order(uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15u + 1) {}
  uint32_t below(uint32_t count) {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<uint32_t>(((state_ >> 33) * count) >> 31);
  }
  template <class T>
  void shuffle(std::vector<T>& items) {
    for (uint32_t i = static_cast<uint32_t>(items.size()); i > 1; i--) std::swap(items[i - 1], items[below(i)]);
  }

 private:
  uint64_t state_;
};

Order& order();
void seedOrder(uint64_t seed);

struct Launch {
  const void* kernel;
  dim3 grid, block;
  size_t sharedBytes;
  Work thread;
};

void runLaunch(const Launch& launch);

// Who touches memory: two touches by different threads, one of them a write, must be ordered by a barrier between them.
struct Toucher {
  uint32_t launch = 0;  // 0: nobody
  uint32_t block;
  uint16_t thread;
  uint16_t blockInterval;  // barriers of the block before it
  uint32_t warpInterval;   // barriers of the warp before it
};

// The thread that runs now; null on the host.
const Toucher* toucher();
bool isOnFibreStack(const void* address);

// Memory that kernels may touch. Shared memory is added for a block and removed after it.
void addRegion(void* memory, size_t bytes, const char* what);
void removeRegion(void* memory);
// Written by the host, or by a copy.
void markWritten(const void* memory, size_t bytes);
// A copy by the running thread.
void copyChecked(void* to, const void* from, unsigned bytes);
// Whether a region holds all of it; copies are refused elsewhere.
bool isInRegion(const void* memory, size_t bytes);

// Keeps the first finding until it is taken; says where the running thread is.
void report(const std::string& what);
std::string takeReport();
bool hasReport();

}  // namespace emulation
