// The latents of a step's rows into the cache: norm of the first `rank` of a row of kv_a, rotation of the rest, then
// the row of its page, as floats or rounded once to bfloat16. A block per row; nobody else writes there. down [rows ×
// (rank + rope)].

namespace cuda {

__device__ __forceinline__ int64_t cacheRow(const Pages& pages, int sequence, int position, int width) {
  const int page = pages.table[static_cast<int64_t>(sequence) * pages.tableStride + position / pages.pageRows];
  return page * pages.pageNumbers + pages.offset + static_cast<int64_t>(position % pages.pageRows) * width;
}

__global__ void storeLatentsKernel(const float* down, const float* norm, float epsilon, const float* frequencies,
                                   Rows rows, LatentShape shape, Places places, Pages pages) {
  const int row = blockIdx.x;
  if (row >= rows.count()) return;
  const int width = shape.cached();
  float* own = shared<float>();
  float* scratch = own + width;
  const float* from = down + static_cast<int64_t>(row) * width;
  const int position = places.positions[row];
  normRow(from, norm, shape.rank, epsilon, scratch, own);
  for (int pair = threadIdx.x; pair < shape.rope / 2; pair += blockDim.x) {
    float* key = own + shape.rank + 2 * pair;
    key[0] = from[shape.rank + 2 * pair];
    key[1] = from[shape.rank + 2 * pair + 1];
    rotatePair(key, position, frequencies[pair]);
  }
  __syncthreads();
  const int64_t to = cacheRow(pages, places.sequences[row], position, width);
  for (int i = threadIdx.x; i < width; i += blockDim.x) {
    if (pages.isBfloat16) static_cast<Bfloat16*>(pages.base)[to + i] = narrowed(own[i]);
    else static_cast<float*>(pages.base)[to + i] = own[i];
  }
}

void storeLatents(const float* down, const float* norm, float epsilon, const float* frequencies, Rows rows,
                  LatentShape shape, Places places, Pages pages, cudaStream_t stream) {
  const size_t bytes = sizeof(float) * (shape.cached() + NORM_THREADS / WARP);
  launch(storeLatentsKernel, rows.most, NORM_THREADS, bytes, stream, down, norm, epsilon, frequencies, rows, shape,
         places, pages);
}

}  // namespace cuda
