// The steps of the codec's encoder that are no operation of their own.

namespace cuda {

// Rows with zeros before and behind them, bent on their way (snake/cuda.cu) where there is an alpha.
__global__ void padKernel(const float* x, const float* alpha, Rows rows, int width, int padding, float* out) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x, row = i / width - padding;
  const int64_t count = rows.count();
  if (row >= count + padding) return;
  const int64_t from = i - static_cast<int64_t>(padding) * width;
  if (row < 0 || row >= count) out[i] = 0;
  else out[i] = alpha ? bent(x[from], alpha[i % width]) : x[from];
}

void pad(const float* x, const float* alpha, Rows rows, int width, int padding, float* out, cudaStream_t stream) {
  launch(padKernel, blocksFor(rows.most + 2 * padding, width), 256, 0, stream, x, alpha, rows, width, padding, out);
}

// x = x · scale + positions
__global__ void addPositionsKernel(float* x, const float* positions, float scale, Rows rows, int width) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i < static_cast<int64_t>(rows.count()) * width) x[i] = fmaf(x[i], scale, positions[i]);
}

void addPositions(float* x, const float* positions, float scale, Rows rows, int width, cudaStream_t stream) {
  launch(addPositionsKernel, blocksFor(rows.most, width), 256, 0, stream, x, positions, scale, rows, width);
}

// Notes a stage's code, size · a + b, as number `place` of the frame's, and takes what it stands for off the rest.
__global__ void takeStageKernel(float* rest, StageTables tables, const int* a, const int* b, Rows rows, int width,
                                int* codes, int place, int codebooks) {
  const int row = blockIdx.x;
  if (row >= rows.count()) return;
  const int half = width / 2;
  for (int i = threadIdx.x; i < width; i += blockDim.x) {
    const float* table =
        i < half ? tables.a + static_cast<int64_t>(a[row]) * half : tables.b + static_cast<int64_t>(b[row]) * half;
    rest[static_cast<int64_t>(row) * width + i] -= table[i < half ? i : i - half];
  }
  if (threadIdx.x == 0) codes[row * codebooks + place] = tables.size * a[row] + b[row];
}

void takeStage(float* rest, StageTables tables, const int* a, const int* b, Rows rows, int width, int* codes, int place,
               int codebooks, cudaStream_t stream) {
  launch(takeStageKernel, rows.most, 128, 0, stream, rest, tables, a, b, rows, width, codes, place, codebooks);
}

// One code of every frame.
__global__ void placeCodesKernel(const int* from, Rows rows, int* codes, int codebooks) {
  const int row = blockIdx.x * blockDim.x + threadIdx.x;
  if (row < rows.count()) codes[row * codebooks] = from[row];
}

void placeCodes(const int* from, Rows rows, int* codes, int codebooks, cudaStream_t stream) {
  launch(placeCodesKernel, blocksFor(rows.most, 1), 256, 0, stream, from, rows, codes, codebooks);
}

}  // namespace cuda
