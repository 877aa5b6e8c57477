// out = SiLU(gate) ⊙ up, element by element; a thread each.

namespace cuda {

__device__ __forceinline__ float gatedValue(float gate, float up) { return gate / (1.0f + expf(-gate)) * up; }

__global__ void swigluKernel(const float* gate, const float* up, Rows rows, int width, float* out) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * blockDim.x + threadIdx.x;
  if (i < static_cast<int64_t>(rows.count()) * width) out[i] = gatedValue(gate[i], up[i]);
}

void swiglu(const float* gate, const float* up, Rows rows, int width, float* out, cudaStream_t stream) {
  launch(swigluKernel, blocksFor(rows.most, width), 256, 0, stream, gate, up, rows, width, out);
}

}  // namespace cuda
