// x += scale ⊙ branch in place, the product rounded before it is added; x [rows × width], a thread per element.

namespace cuda {

__global__ void residualKernel(float* x, const float* branch, const float* scale, Rows rows, int width) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i >= rows.count() * width) return;
  x[i] = __fadd_rn(x[i], scale ? __fmul_rn(scale[i % width], branch[i]) : branch[i]);
}

void residual(float* x, const float* branch, const float* scale, Rows rows, int width, cudaStream_t stream) {
  launch(residualKernel, ceilDivide(rows.most * width, 256), 256, 0, stream, x, branch, scale, rows, width);
}

}  // namespace cuda
