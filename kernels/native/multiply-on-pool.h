#pragma once
#include "kernels.h"

// A whole product, cut over the pool's threads where that pays.
void multiplyOnPool(const KernelTable& kernels, const Matrix& matrix, const Windows& windows, int rows, float* out);
