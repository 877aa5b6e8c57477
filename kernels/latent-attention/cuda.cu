// Causal attention in the absorbed form (docs/spec/model.md §1.3) over a paged cache, in three kernels: the query into
// the latent space, a part of the cache each with its own softmax, the parts together and out through the value rows.
//
// q [rows × heads × (nope + rope)], the cache's rows [rank | rope], out [rows × heads × value].
//
// Order: parts begin at multiples of `partRows` positions, whatever the pages; within a part blocks of 64 positions in
// ascending order, their positions in ascending order too; scores by lanes over the width and a butterfly; parts in
// ascending order. A row sees positions up to its own, so its sums are the same in a prompt, in a decode step and in
// any batch.

namespace cuda {

constexpr int ATTENTION_THREADS = 128;
constexpr int ATTENTION_WARPS = ATTENTION_THREADS / WARP;
// Heads that share what is read of the cache.
constexpr int HEAD_TILE = 8;
constexpr int POSITION_BLOCK = 64;
// Latent components of a thread: ranks up to 512.
constexpr int MOST_COMPONENTS = 4;
constexpr int ROW_TILE = 4;

// Loops over heads and rows are unrolled with a condition inside, so that their sums are registers.

template <class T>
__global__ void absorbKernel(const T* expansion, LatentShape shape, const float* q, Rows rows, float* absorbed) {
  const int head = blockIdx.x;
  const int firstRow = blockIdx.y * ROW_TILE;
  const int count = rows.count();
  if (firstRow >= count) return;
  const int here = count - firstRow < ROW_TILE ? count - firstRow : ROW_TILE;
  const int width = shape.query();
  const float scale = 1.0f / sqrtf(static_cast<float>(width));
  float* queries = shared<float>();  // [ROW_TILE × width], scaled
  for (int i = threadIdx.x; i < here * width; i += blockDim.x) {
    queries[i] = q[(static_cast<int64_t>(firstRow + i / width) * shape.heads + head) * width + i % width] * scale;
  }
  __syncthreads();
  const T* keys = expansion + static_cast<int64_t>(head) * (shape.nope + shape.value) * shape.rank;
  for (int i = threadIdx.x; i < shape.cached(); i += blockDim.x) {
    float sums[ROW_TILE] = {};
    if (i < shape.rank) {
      for (int n = 0; n < shape.nope; n++) {
        const float weight = widened(keys[static_cast<int64_t>(n) * shape.rank + i]);
#pragma unroll
        for (int r = 0; r < ROW_TILE; r++) {
          if (r < here) sums[r] = fmaf(queries[r * width + n], weight, sums[r]);
        }
      }
    } else {
#pragma unroll
      for (int r = 0; r < ROW_TILE; r++) {
        if (r < here) sums[r] = queries[r * width + shape.nope + i - shape.rank];
      }
    }
#pragma unroll
    for (int r = 0; r < ROW_TILE; r++) {
      if (r < here) absorbed[(static_cast<int64_t>(firstRow + r) * shape.heads + head) * shape.cached() + i] = sums[r];
    }
  }
}

// What the threads of a block keep while they go through a part.
struct PartState {
  float mixed[MOST_COMPONENTS][HEAD_TILE] = {};
};

// Scores of up to 64 positions for the block's heads, into scores[head · 64 + position].
template <class T>
__device__ void scorePositions(const T* cache, const Pages& pages, int sequence, int first, int count, int width,
                               const float* queries, int heads, float* scores) {
  const int lane = threadIdx.x % WARP;
  for (int j = threadIdx.x / WARP; j < count; j += ATTENTION_WARPS) {
    const T* row = cache + cacheRow(pages, sequence, first + j, width);
    float sums[HEAD_TILE] = {};
    for (int i = lane; i < width; i += WARP) {
      const float value = widened(row[i]);
#pragma unroll
      for (int h = 0; h < HEAD_TILE; h++) {
        if (h < heads) sums[h] = fmaf(value, queries[h * width + i], sums[h]);
      }
    }
#pragma unroll
    for (int h = 0; h < HEAD_TILE; h++) {
      if (h >= heads) continue;
      const float sum = warpSum(sums[h]);
      if (lane == 0) scores[h * POSITION_BLOCK + j] = sum;
    }
  }
}

template <class T>
__global__ void __launch_bounds__(ATTENTION_THREADS)
    attendKernel(const float* absorbed, LatentShape shape, Rows rows, Places places, Pages pages, Parts parts,
                 float* partial) {
  const int row = blockIdx.z;
  if (row >= rows.count()) return;
  const int length = places.positions[row] + 1;
  const int begin = blockIdx.x * parts.partRows;
  if (begin >= length) return;
  const int end = begin + parts.partRows < length ? begin + parts.partRows : length;
  const int sequence = places.sequences[row];
  const int firstHead = blockIdx.y * HEAD_TILE;
  const int heads = shape.heads - firstHead < HEAD_TILE ? shape.heads - firstHead : HEAD_TILE;
  const int width = shape.cached();
  const T* cache = static_cast<const T*>(pages.base);

  float* queries = shared<float>();                     // [HEAD_TILE × width]
  float* scores = queries + HEAD_TILE * width;          // [HEAD_TILE × 64], then weights
  float* maxima = scores + HEAD_TILE * POSITION_BLOCK;  // so far
  float* sums = maxima + HEAD_TILE;                     // of the weights so far
  float* rescale = sums + HEAD_TILE;                    // of everything before this block of positions
  const float* from = absorbed + (static_cast<int64_t>(row) * shape.heads + firstHead) * width;
  for (int i = threadIdx.x; i < heads * width; i += blockDim.x) queries[i] = from[i];
  if (threadIdx.x < HEAD_TILE) {
    maxima[threadIdx.x] = -INFINITY;
    sums[threadIdx.x] = 0;
  }
  __syncthreads();

  PartState state;
  for (int first = begin; first < end; first += POSITION_BLOCK) {
    const int count = end - first < POSITION_BLOCK ? end - first : POSITION_BLOCK;
    scorePositions(cache, pages, sequence, first, count, width, queries, heads, scores);
    __syncthreads();
    for (int h = threadIdx.x / WARP; h < heads; h += ATTENTION_WARPS) {
      const int lane = threadIdx.x % WARP;
      float* own = scores + h * POSITION_BLOCK;
      const float before = maxima[h];
      float most = before;
      for (int j = lane; j < count; j += WARP) most = larger(most, own[j]);
      most = warpMax(most);
      float total = 0;
      for (int j = lane; j < count; j += WARP) {
        own[j] = expf(own[j] - most);
        total += own[j];
      }
      total = warpSum(total);
      if (lane == 0) {
        rescale[h] = expf(before - most);
        sums[h] = sums[h] * rescale[h] + total;
        maxima[h] = most;
      }
    }
    __syncthreads();
#pragma unroll
    for (int c = 0; c < MOST_COMPONENTS; c++) {
      const int i = threadIdx.x + c * ATTENTION_THREADS;
      if (i >= shape.rank) continue;
#pragma unroll
      for (int h = 0; h < HEAD_TILE; h++) {
        if (h < heads) state.mixed[c][h] *= rescale[h];
      }
      for (int j = 0; j < count; j++) {
        const float value = widened(cache[cacheRow(pages, sequence, first + j, width) + i]);
#pragma unroll
        for (int h = 0; h < HEAD_TILE; h++) {
          if (h < heads) state.mixed[c][h] = fmaf(scores[h * POSITION_BLOCK + j], value, state.mixed[c][h]);
        }
      }
    }
    __syncthreads();
  }

#pragma unroll
  for (int h = 0; h < HEAD_TILE; h++) {
    if (h >= heads) continue;
    float* to = partial + ((static_cast<int64_t>(row) * shape.heads + firstHead + h) * parts.parts + blockIdx.x) *
                              (shape.rank + 2);
#pragma unroll
    for (int c = 0; c < MOST_COMPONENTS; c++) {
      const int i = threadIdx.x + c * ATTENTION_THREADS;
      if (i < shape.rank) to[i] = state.mixed[c][h];
    }
    if (threadIdx.x == 0) {
      to[shape.rank] = maxima[h];
      to[shape.rank + 1] = sums[h];
    }
  }
}

template <class T>
__global__ void combineKernel(const T* expansion, LatentShape shape, Rows rows, Places places, Parts parts,
                              const float* partial, float* out) {
  const int head = blockIdx.x, row = blockIdx.y;
  if (row >= rows.count()) return;
  const int used = ceilDivide(places.positions[row] + 1, parts.partRows);
  const int stride = shape.rank + 2;
  const float* own = partial + (static_cast<int64_t>(row) * shape.heads + head) * parts.parts * stride;
  float* mixed = shared<float>();
  float most = -INFINITY;
  for (int p = 0; p < used; p++) most = larger(most, own[p * stride + shape.rank]);
  float total = 0;
  for (int p = 0; p < used; p++)
    total = fmaf(own[p * stride + shape.rank + 1], expf(own[p * stride + shape.rank] - most), total);
  for (int i = threadIdx.x; i < shape.rank; i += blockDim.x) {
    float sum = 0;
    for (int p = 0; p < used; p++) sum = fmaf(own[p * stride + i], expf(own[p * stride + shape.rank] - most), sum);
    mixed[i] = sum / total;
  }
  __syncthreads();
  const T* values = expansion + (static_cast<int64_t>(head) * (shape.nope + shape.value) + shape.nope) * shape.rank;
  const int lane = threadIdx.x % WARP;
  for (int v = threadIdx.x / WARP; v < shape.value; v += ATTENTION_WARPS) {
    float sum = 0;
    for (int i = lane; i < shape.rank; i += WARP)
      sum = fmaf(widened(values[static_cast<int64_t>(v) * shape.rank + i]), mixed[i], sum);
    sum = warpSum(sum);
    if (lane == 0) out[(static_cast<int64_t>(row) * shape.heads + head) * shape.value + v] = sum;
  }
}

template <class T>
void latentAttentionOf(const Matrix& expansion, LatentShape shape, const float* q, Rows rows, Places places,
                       Pages pages, Parts parts, float* absorbed, float* partial, float* out, cudaStream_t stream) {
  const T* weights = static_cast<const T*>(expansion.values);
  const size_t width = shape.cached();
  launch(absorbKernel<T>, dim3(shape.heads, ceilDivide(rows.most, ROW_TILE)), ATTENTION_THREADS,
         sizeof(float) * ROW_TILE * shape.query(), stream, weights, shape, q, rows, absorbed);
  const dim3 grid(parts.parts, ceilDivide(shape.heads, HEAD_TILE), rows.most);
  const size_t bytes = sizeof(float) * HEAD_TILE * (width + POSITION_BLOCK + 3);
  const auto attend = pages.isBfloat16 ? attendKernel<Bfloat16> : attendKernel<float>;
  launch(attend, grid, ATTENTION_THREADS, bytes, stream, absorbed, shape, rows, places, pages, parts, partial);
  launch(combineKernel<T>, dim3(shape.heads, rows.most), ATTENTION_THREADS, sizeof(float) * shape.rank, stream, weights,
         shape, rows, places, parts, partial, out);
}

void latentAttention(const Matrix& expansion, LatentShape shape, const float* q, Rows rows, Places places, Pages pages,
                     Parts parts, float* absorbed, float* partial, float* out, cudaStream_t stream) {
  if (rows.most == 0) return;
  if (expansion.isBfloat16)
    latentAttentionOf<Bfloat16>(expansion, shape, q, rows, places, pages, parts, absorbed, partial, out, stream);
  else latentAttentionOf<float>(expansion, shape, q, rows, places, pages, parts, absorbed, partial, out, stream);
}

}  // namespace cuda
