// x · Φ(x), a thread per element; by the complement, so that small results of negative x keep their digits.

namespace cuda {

__global__ void geluKernel(const float* x, Rows rows, int width, float* out) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i < static_cast<int64_t>(rows.count()) * width) out[i] = 0.5f * x[i] * erfcf(x[i] * -0.70710678f);
}

void gelu(const float* x, Rows rows, int width, float* out, cudaStream_t stream) {
  launch(geluKernel, blocksFor(rows.most, width), 256, 0, stream, x, rows, width, out);
}

}  // namespace cuda
