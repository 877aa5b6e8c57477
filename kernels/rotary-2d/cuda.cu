// Turns component j of every head with j + headDim / 2: the first half of the angles by the row of a patch, the second
// by its column. `turns` [positions × (cos | sin) × headDim / 4], `places` [rows × (row, column)]; in place, a thread
// per pair.

namespace cuda {

__global__ void rotary2dKernel(float* x, const float* turns, const int* places, Rows rows, int heads, int headDim) {
  const int half = headDim / 2, quarter = headDim / 4;
  const int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x, pairs = heads * half;
  const int64_t row = i / pairs;
  if (row >= rows.count()) return;
  const int head = static_cast<int>(i % pairs) / half, j = static_cast<int>(i % half);
  const int position = places[2 * row + (j < quarter ? 0 : 1)];
  const float cosine = turns[2 * position * quarter + j % quarter];
  const float sine = turns[(2 * position + 1) * quarter + j % quarter];
  float* pair = x + (row * heads + head) * headDim + j;
  const float first = pair[0], second = pair[half];
  pair[0] = __fadd_rn(__fmul_rn(first, cosine), -__fmul_rn(second, sine));
  pair[half] = __fadd_rn(__fmul_rn(second, cosine), __fmul_rn(first, sine));
}

void rotary2d(float* x, const float* turns, const int* places, Rows rows, int heads, int headDim, cudaStream_t stream) {
  launch(rotary2dKernel, blocksFor(rows.most, heads * (headDim / 2)), 256, 0, stream, x, turns, places, rows, heads,
         headDim);
}

}  // namespace cuda
