// out = (x − mean) · rsqrt(variance + epsilon) · weight + bias per row; x and out [rows × width], may be the same. The
// variance is taken around the mean. Order of both sums: thread t of 128 adds columns t, t + 128, …; then lanes by a
// butterfly, then warps in their order.

namespace cuda {

__global__ void layerNormKernel(const float* x, const float* weight, const float* bias, Rows rows, int width,
                                float epsilon, float* out) {
  if (static_cast<int>(blockIdx.x) >= rows.count()) return;
  float* scratch = shared<float>();
  x += static_cast<int64_t>(blockIdx.x) * width;
  out += static_cast<int64_t>(blockIdx.x) * width;
  float sum = 0;
  for (int i = threadIdx.x; i < width; i += blockDim.x) sum += x[i];
  const float mean = blockSum(sum, scratch) / width;
  float squares = 0;
  for (int i = threadIdx.x; i < width; i += blockDim.x) squares = fmaf(x[i] - mean, x[i] - mean, squares);
  const float variance = blockSum(squares, scratch) / width;
  const float scale = __fdiv_rn(1.0f, __fsqrt_rn(variance + epsilon));
  for (int i = threadIdx.x; i < width; i += blockDim.x) out[i] = fmaf((x[i] - mean) * scale, weight[i], bias[i]);
}

void layerNorm(const float* x, const float* weight, const float* bias, Rows rows, int width, float epsilon, float* out,
               cudaStream_t stream) {
  launch(layerNormKernel, rows.most, NORM_THREADS, sizeof(float) * NORM_THREADS / WARP, stream, x, weight, bias, rows,
         width, epsilon, out);
}

}  // namespace cuda
