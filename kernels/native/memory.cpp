#include "memory.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <new>

Aligned allocateAligned(size_t bytes) {
  const size_t rounded = (bytes + 63) / 64 * 64 + 64;
  void* memory = std::aligned_alloc(64, rounded);
  if (!memory) throw std::bad_alloc();
  return Aligned(memory);
}

Aligned copyOf(const float* values, size_t count) {
  Aligned copy = allocateAligned(sizeof(float) * count);
  std::copy_n(values, count, static_cast<float*>(copy.get()));
  return copy;
}

namespace {

struct ScratchSlot {
  Aligned memory;
  size_t floats = 0;
};

thread_local ScratchSlot slots[SCRATCH_SLOTS];

}  // namespace

float* scratch(int slot, size_t floats) {
  KERNEL_ASSERT(slot >= 0 && slot < SCRATCH_SLOTS);
  ScratchSlot& found = slots[slot];
  if (found.floats < floats) {
    // Half as much again, so that a growing sequence does not allocate at every step.
    const size_t size = floats + floats / 2;
    found.memory.reset(std::aligned_alloc(64, (size * sizeof(float) + 127) / 64 * 64));
    KERNEL_ASSERT(found.memory != nullptr);
    found.floats = size;
  }
  return static_cast<float*>(found.memory.get());
}

void kernelFailed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "longcat-rt kernel: %s does not hold (%s:%d)\n", condition, file, line);
  std::abort();
}
