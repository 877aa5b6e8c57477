// Rotary position embedding over adjacent pairs, in place; a thread per row, head and pair. Angles in float32: the
// product of position and frequency is rounded before its cosine is taken, as everywhere.

namespace cuda {

__device__ __forceinline__ void rotatePair(float* pair, int position, float frequency) {
  const float angle = __fmul_rn(static_cast<float>(position), frequency);
  float sine, cosine;
  sincosf(angle, &sine, &cosine);
  const float even = pair[0], odd = pair[1];
  pair[0] = __fadd_rn(__fmul_rn(even, cosine), -__fmul_rn(odd, sine));
  pair[1] = __fadd_rn(__fmul_rn(even, sine), __fmul_rn(odd, cosine));
}

__global__ void rotaryKernel(float* x, Rows rows, RotaryLayout layout, const float* frequencies, const int* positions) {
  const int row = blockIdx.x;
  if (row >= rows.count()) return;
  for (int n = threadIdx.x; n < layout.heads * layout.pairs; n += blockDim.x) {
    const int head = n / layout.pairs, pair = n % layout.pairs;
    rotatePair(x + static_cast<int64_t>(row) * layout.stride + layout.offset + head * layout.headStride + 2 * pair,
               positions[row], frequencies[pair]);
  }
}

void rotary(float* x, Rows rows, RotaryLayout layout, const float* frequencies, const int* positions,
            cudaStream_t stream) {
  launch(rotaryKernel, rows.most, 128, 0, stream, x, rows, layout, frequencies, positions);
}

}  // namespace cuda
