// min(max(x, 0), 6), a thread per element; what is no number stays so.

namespace cuda {

__global__ void relu6Kernel(const float* x, Rows rows, int width, float* out) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i >= static_cast<int64_t>(rows.count()) * width) return;
  const float value = x[i];
  out[i] = value < 0.0f ? 0.0f : value > 6.0f ? 6.0f : value;
}

void relu6(const float* x, Rows rows, int width, float* out, cudaStream_t stream) {
  launch(relu6Kernel, blocksFor(rows.most, width), 256, 0, stream, x, rows, width, out);
}

}  // namespace cuda
