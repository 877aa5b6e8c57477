// y = x + Σ_k K_k ⊙ g, taps oldest to newest; a block per row. Output row r takes row xFrom[r] of x and the rows from
// gFrom[r] on of g, `dilation` apart. The kernel is [taps × width].

namespace cuda {

__global__ void fsmnKernel(const float* kernel, FsmnShape shape, const float* x, const float* g, FsmnRows from,
                           Rows rows, float* out) {
  const int row = blockIdx.x;
  if (row >= rows.count()) return;
  const int64_t width = shape.width;
  for (int i = threadIdx.x; i < shape.width; i += blockDim.x) {
    float memory = 0;
    for (int k = 0; k < shape.taps; k++)
      memory = fmaf(kernel[k * width + i], g[(from.g[row] + k * shape.dilation) * width + i], memory);
    out[row * width + i] = x[from.x[row] * width + i] + memory;
  }
}

void fsmn(const float* kernel, FsmnShape shape, const float* x, const float* g, FsmnRows from, Rows rows, float* out,
          cudaStream_t stream) {
  launch(fsmnKernel, rows.most, 128, 0, stream, kernel, shape, x, g, from, rows, out);
}

}  // namespace cuda
