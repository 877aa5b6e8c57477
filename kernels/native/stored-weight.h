// Weights that still lie in their files: read, checked and packed by all threads of the pool, a panel's outputs at a
// time, so that they are never in memory twice.
#pragma once
#include <cstdint>
#include <vector>

#include "kernels.h"
#include "memory.h"

enum class StoredType : int { f32 = 0, bf16 = 1, fp8 = 2 };

struct StoredWeight {
  int descriptor;
  uint64_t begin;  // Byte of the first element.
  StoredType type;
  // Of fp8 (e4m3): one float per block, row by row of blocks.
  int scaleDescriptor;
  uint64_t scaleBegin;
  int blockRows, blockColumns;
};

constexpr size_t STORED_WEIGHT_FIELDS = 7;
StoredWeight storedWeight(const double* fields);

// fp8 becomes bfloat16, the product with its scale rounded to nearest.
WeightType typeInMemory(const StoredWeight& weight);

// Fills the matrix' panels. @throws std::runtime_error where the file ends early or a value is not finite
void packStored(const KernelTable& kernels, const StoredWeight& weight, const Matrix& matrix);

// The values of a table as they are, f32 or bfloat16. @throws as above
void readStored(const StoredWeight& weight, size_t rows, size_t width, void* to);
