#pragma once
#include "kernels.h"

// A whole product, cut over the pool's threads where that pays.
void multiplyOnPool(const KernelTable& kernels, const Matrix& matrix, const Windows& windows, int rows, float* out);

inline void multiplyRows(const KernelTable& kernels, const Matrix& matrix, const float* x, int rows, float* out) {
  multiplyOnPool(kernels, matrix, {x, static_cast<size_t>(matrix.inputs), 1, 0, matrix.inputs}, rows, out);
}
