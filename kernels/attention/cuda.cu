// softmax(q·kᵀ · scale) · v within one unit, in both directions. A block has 32 queries of one head and goes over the
// unit's keys 16 at a time, in ascending order, with a running maximum; four threads share a query. Order of a row's
// sums: thread p of four adds keys p, p + 4, …; the four by a butterfly; then the tiles in their order. So it depends
// on the unit alone, not on what else is in the pass.

namespace cuda {

constexpr int UNIT_KEYS = 16;
constexpr int UNIT_THREADS = 4 * AttentionTile::QUERIES;
constexpr int UNIT_HEAD = 128;

__device__ __forceinline__ float quadSum(float value) {
  value += __shfl_xor_sync(ALL_LANES, value, 1);
  return value + __shfl_xor_sync(ALL_LANES, value, 2);
}

__device__ __forceinline__ float quadMax(float value) {
  value = larger(value, __shfl_xor_sync(ALL_LANES, value, 1));
  return larger(value, __shfl_xor_sync(ALL_LANES, value, 2));
}

// Rows of one head into shared memory, zeros behind the last.
__device__ __forceinline__ void loadHead(const float* from, int64_t rowStride, int count, int most, int headDim,
                                         float scale, float* to) {
  for (int i = threadIdx.x; i < most * headDim; i += blockDim.x) {
    const int row = i / headDim, d = i % headDim;
    to[row * (headDim + 1) + d] = row < count ? from[row * rowStride + d] * scale : 0.0f;
  }
}

__global__ void __launch_bounds__(UNIT_THREADS)
    attentionKernel(const float* q, const float* k, const float* v, const AttentionTile* tiles, Rows tileCount,
                    int heads, int headDim, float scale, float* out) {
  if (static_cast<int>(blockIdx.x) >= tileCount.count()) return;
  const AttentionTile tile = tiles[blockIdx.x];
  const int64_t rowStride = static_cast<int64_t>(heads) * headDim, head = static_cast<int64_t>(blockIdx.y) * headDim;
  const int stride = headDim + 1, query = threadIdx.x / 4, part = threadIdx.x % 4;
  float* queries = shared<float>();
  float* keys = queries + AttentionTile::QUERIES * stride;
  float* values = keys + UNIT_KEYS * stride;
  float* shares = values + UNIT_KEYS * stride + query * (UNIT_KEYS + 1);
  loadHead(q + tile.firstRow * rowStride + head, rowStride, tile.rows, AttentionTile::QUERIES, headDim, scale, queries);
  float sums[UNIT_HEAD / 4] = {};
  float highest = -INFINITY, total = 0;
  for (int base = 0; base < tile.unitRows; base += UNIT_KEYS) {
    const int64_t from = (tile.unitBegin + base) * rowStride + head;
    const int count = tile.unitRows - base;
    loadHead(k + from, rowStride, count, UNIT_KEYS, headDim, 1.0f, keys);
    loadHead(v + from, rowStride, count, UNIT_KEYS, headDim, 1.0f, values);
    __syncthreads();
    float scores[UNIT_KEYS / 4], tileHighest = -INFINITY;
    for (int i = 0; i < UNIT_KEYS / 4; i++) {
      const int key = part + 4 * i;
      float score = 0;
      for (int d = 0; d < headDim; d++) score = fmaf(queries[query * stride + d], keys[key * stride + d], score);
      scores[i] = key < count ? score : -INFINITY;
      tileHighest = larger(tileHighest, scores[i]);
    }
    const float next = larger(highest, quadMax(tileHighest));
    const float kept = expf(highest - next);
    highest = next;
    float own = 0;
    for (int i = 0; i < UNIT_KEYS / 4; i++) {
      const float share = expf(scores[i] - next);
      shares[part + 4 * i] = share;
      own += share;
    }
    total = total * kept + quadSum(own);
    __syncwarp();
#pragma unroll
    for (int i = 0; i < UNIT_HEAD / 4; i++) {
      const int d = part + 4 * i;
      if (d >= headDim) continue;
      float sum = sums[i] * kept;
      for (int key = 0; key < UNIT_KEYS; key++) sum = fmaf(shares[key], values[key * stride + d], sum);
      sums[i] = sum;
    }
    __syncthreads();
  }
  if (query >= tile.rows) return;
  float* to = out + (tile.firstRow + query) * rowStride + head;
#pragma unroll
  for (int i = 0; i < UNIT_HEAD / 4; i++) {
    if (part + 4 * i < headDim) to[part + 4 * i] = __fdiv_rn(sums[i], total);
  }
}

void attention(const float* q, const float* k, const float* v, const AttentionTile* tiles, Rows tileCount, int heads,
               int headDim, float scale, float* out, cudaStream_t stream) {
  const size_t rows = AttentionTile::QUERIES + 2 * UNIT_KEYS;
  const size_t bytes = sizeof(float) * (rows * (headDim + 1) + AttentionTile::QUERIES * (UNIT_KEYS + 1));
  launch(attentionKernel, dim3(tileCount.most, heads), UNIT_THREADS, bytes, stream, q, k, v, tiles, tileCount, heads,
         headDim, scale, out);
}

}  // namespace cuda
