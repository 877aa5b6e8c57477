#pragma once
#include <cstdlib>
#include <memory>

#include "kernels.h"

struct FreeMemory {
  void operator()(void* memory) const { std::free(memory); }
};
using Aligned = std::unique_ptr<void, FreeMemory>;

// 64-byte aligned, at least 64 bytes longer than asked. @throws std::bad_alloc
Aligned allocateAligned(size_t bytes);

Aligned copyOf(const float* values, size_t count);
