// What streams keep of a layer between passes. `joined` has, for stream s of a pass, the rows that it kept and then its
// new ones: row r of the pass, of stream s, is row r + (s + 1) · kept of it.

namespace cuda {

constexpr int JOIN_THREADS = 256;

// With `alpha` the new rows are bent on their way (snake/cuda.cu).
__global__ void joinKeptKernel(Kept kept, StreamRows streams, const float* x, const int* sources, const float* alpha,
                               float* joined) {
  const int s = blockIdx.y;
  if (s >= streams.count()) return;
  const int64_t before = static_cast<int64_t>(kept.rows) * kept.width;
  const int64_t from = streams.begin(s) * kept.width, own = streams.begin(s + 1) * kept.width - from;
  const int64_t source = sources ? sources[s] * static_cast<int64_t>(kept.width) : from;
  const int64_t given = sources ? sources[s + 1] * static_cast<int64_t>(kept.width) - source : own;
  const float* state = kept.of(streams.slots[s]);
  float* to = joined + from + s * before;
  const int64_t step = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < before + own; i += step) {
    if (i < before) to[i] = state[i];
    else if (i - before >= given) to[i] = 0;
    else to[i] = alpha ? bent(x[source + i - before], alpha[i % kept.width]) : x[source + i - before];
  }
}

// The last rows of every stream, for the next pass.
__global__ void keepLastKernel(Kept kept, StreamRows streams, const float* joined) {
  const int s = blockIdx.y;
  if (s >= streams.count()) return;
  const int64_t count = static_cast<int64_t>(kept.rows) * kept.width;
  const float* last = joined + streams.begin(s + 1) * kept.width + s * count;
  float* state = kept.of(streams.slots[s]);
  const int64_t step = static_cast<int64_t>(gridDim.x) * blockDim.x;
  for (int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x; i < count; i += step)
    state[i] = last[i];
}

namespace {

// Enough blocks for a stream's rows, each thread taking several where there are many.
dim3 joinGrid(int64_t numbers, int streams) {
  constexpr int64_t MOST_BLOCKS = 64;
  const int64_t blocks = (numbers + JOIN_THREADS - 1) / JOIN_THREADS;
  return dim3(static_cast<unsigned>(blocks < MOST_BLOCKS ? blocks : MOST_BLOCKS), streams);
}

}  // namespace

void joinKept(Kept kept, StreamRows streams, int mostRows, const float* x, const int* sources, const float* alpha,
              float* joined, cudaStream_t stream) {
  const dim3 grid = joinGrid(static_cast<int64_t>(kept.rows + mostRows) * kept.width, streams.most);
  launch(joinKeptKernel, grid, JOIN_THREADS, 0, stream, kept, streams, x, sources, alpha, joined);
}

void keepLast(Kept kept, StreamRows streams, const float* joined, cudaStream_t stream) {
  const dim3 grid = joinGrid(static_cast<int64_t>(kept.rows) * kept.width, streams.most);
  launch(keepLastKernel, grid, JOIN_THREADS, 0, stream, kept, streams, joined);
}

}  // namespace cuda
