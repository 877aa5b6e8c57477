// Sums of table rows, in the order of the tables; or a feature vector in their place. A block per row.
// ids [rows × tables], −1 adds nothing; features [rows], the row of `vectors` or −1, null where there are none.

namespace cuda {

__device__ __forceinline__ float tableValue(const void* table, bool isBfloat16, int64_t at) {
  return isBfloat16 ? widened(static_cast<const Bfloat16*>(table)[at]) : static_cast<const float*>(table)[at];
}

__global__ void embeddingKernel(Tables tables, int width, const int* ids, Rows rows, const int* features,
                                const float* vectors, float* out) {
  const int row = blockIdx.x;
  if (row >= rows.count()) return;
  const int feature = features ? features[row] : -1;
  for (int i = threadIdx.x; i < width; i += blockDim.x) {
    float sum = 0;
    for (int t = 0; t < tables.count; t++) {
      const int id = ids[row * tables.count + t];
      if (id >= 0) sum += tableValue(tables.values[t], tables.isBfloat16[t], static_cast<int64_t>(id) * width + i);
    }
    out[static_cast<int64_t>(row) * width + i] =
        feature >= 0 ? vectors[static_cast<int64_t>(feature) * width + i] : sum;
  }
}

void embedding(Tables tables, int width, const int* ids, Rows rows, const int* features, const float* vectors,
               float* out, cudaStream_t stream) {
  launch(embeddingKernel, rows.most, 128, 0, stream, tables, width, ids, rows, features, vectors, out);
}

// The rows whose predictions are wanted, one after the other.
__global__ void gatherKernel(const float* x, const int* chosen, Rows rows, int width, float* out) {
  const int row = blockIdx.x;
  if (row >= rows.count()) return;
  for (int i = threadIdx.x; i < width; i += blockDim.x)
    out[static_cast<int64_t>(row) * width + i] = x[static_cast<int64_t>(chosen[row]) * width + i];
}

void gatherRows(const float* x, const int* chosen, Rows rows, int width, float* out, cudaStream_t stream) {
  launch(gatherKernel, rows.most, 128, 0, stream, x, chosen, rows, width, out);
}

}  // namespace cuda
