// out = x · rsqrt(mean(x²) + epsilon) · weight per row; x and out [rows × width], may be the same.
// Order of the sum of squares: thread t of 128 adds columns t, t + 128, …; then lanes by a butterfly, then warps in
// their order.

namespace cuda {

constexpr int NORM_THREADS = 128;

// Of one row by all threads of the block; `scratch` has a float per warp.
__device__ __forceinline__ void normRow(const float* x, const float* weight, int width, float epsilon, float* scratch,
                                        float* out) {
  float squares = 0;
  for (int i = threadIdx.x; i < width; i += blockDim.x) squares = fmaf(x[i], x[i], squares);
  squares = blockSum(squares, scratch);
  const float scale = __fdiv_rn(1.0f, __fsqrt_rn(squares / width + epsilon));
  // Normalised value first, weight second, each rounded.
  for (int i = threadIdx.x; i < width; i += blockDim.x) out[i] = __fmul_rn(weight[i], __fmul_rn(x[i], scale));
}

__global__ void rmsNormKernel(const float* x, const float* weight, Rows rows, int width, float epsilon, float* out) {
  if (static_cast<int>(blockIdx.x) >= rows.count()) return;
  const int64_t row = static_cast<int64_t>(blockIdx.x) * width;
  normRow(x + row, weight, width, epsilon, shared<float>(), out + row);
}

void rmsNorm(const float* x, const float* weight, Rows rows, int width, float epsilon, float* out,
             cudaStream_t stream) {
  launch(rmsNormKernel, rows.most, NORM_THREADS, sizeof(float) * NORM_THREADS / WARP, stream, x, weight, rows, width,
         epsilon, out);
}

}  // namespace cuda
