// out = SiLU(gate) ⊙ up, element by element; a thread each.

namespace cuda {

__device__ __forceinline__ float gatedValue(float gate, float up) { return gate / (1.0f + expf(-gate)) * up; }

__global__ void swigluKernel(const float* gate, const float* up, int count, float* out) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < count) out[i] = gatedValue(gate[i], up[i]);
}

void swiglu(const float* gate, const float* up, int count, float* out, cudaStream_t stream) {
  launch(swigluKernel, ceilDivide(count, 256), 256, 0, stream, gate, up, count, out);
}

}  // namespace cuda
