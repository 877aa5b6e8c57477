#pragma once
#include "kernels.h"
#include "latent-expansion.h"

// Latent attention of the rows of all segments, on the pool's threads where that pays: cut by groups of rows, and by
// heads where there are fewer groups than threads. Same bits as on one.
void latentAttentionOnPool(const KernelTable& kernels, const LatentExpansion& expansion, const LatentShape& shape,
                           const float* q, const LatentSegment* segments, int segmentCount, float* out);
