#pragma once
#include "kernels.h"

// The routed experts on rows [rows × hidden], see `experts` of the kernel table: on the pool's threads where that pays,
// cut by rows where experts are small and within each expert's products where they are large. Same bits as on one
// thread.
void expertsOnPool(const KernelTable& kernels, const Expert* experts, int expertCount, int hidden, int inner,
                   const float* x, int rows, int topK, const int32_t* indices, const float* weights, float* out);
