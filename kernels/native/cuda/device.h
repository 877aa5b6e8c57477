// What kernels are written against: CUDA's own headers, or with CUDA_EMULATION the emulation of them.
#pragma once
#if defined(CUDA_EMULATION)
#include "../cuda-emulation/cuda.h"
#else
#include <cuda_runtime.h>
#endif
#include <cstdint>

namespace cuda {

constexpr int WARP = 32;
constexpr unsigned ALL_LANES = 0xffffffffu;

__host__ __device__ constexpr int ceilDivide(int a, int b) { return (a + b - 1) / b; }

// A bfloat16 as its bits; widening is exact.
struct Bfloat16 {
  uint16_t bits;
};

// Files for the host see the types only.
#if defined(__CUDACC__) || defined(CUDA_EMULATION)

__device__ __forceinline__ float widened(Bfloat16 value) {
  return __uint_as_float(static_cast<uint32_t>(value.bits) << 16);
}
__device__ __forceinline__ float widened(float value) { return value; }

// Rounds to nearest, ties to even.
__device__ __forceinline__ Bfloat16 narrowed(float value) {
  const uint32_t word = __float_as_uint(value);
  if ((word & 0x7fffffffu) > 0x7f800000u) return {static_cast<uint16_t>(word >> 16 | 0x40)};
  return {static_cast<uint16_t>((word + 0x7fffu + (word >> 16 & 1)) >> 16)};
}

// The dynamic shared memory of the block.
template <class T>
__device__ __forceinline__ T* shared() {
#if defined(__CUDACC__)
  extern __shared__ __align__(16) unsigned char sharedBytes[];
  return reinterpret_cast<T*>(sharedBytes);
#else
  return static_cast<T*>(emulation::sharedMemory());
#endif
}

// A butterfly: every lane gets the same sum, in the same order whatever the block does.
template <class T>
__device__ __forceinline__ T warpSum(T value) {
  for (int turn = WARP / 2; turn > 0; turn /= 2) value += __shfl_xor_sync(ALL_LANES, value, turn);
  return value;
}

__device__ __forceinline__ float larger(float a, float b) { return b > a ? b : a; }

__device__ __forceinline__ float warpMax(float value) {
  for (int turn = WARP / 2; turn > 0; turn /= 2) value = larger(value, __shfl_xor_sync(ALL_LANES, value, turn));
  return value;
}

// Of all threads of a block of whole warps; `scratch` has a float per warp. Every thread gets the sum, warps in their
// order.
__device__ __forceinline__ float blockSum(float value, float* scratch) {
  const int warps = blockDim.x / WARP;
  value = warpSum(value);
  if (threadIdx.x % WARP == 0) scratch[threadIdx.x / WARP] = value;
  __syncthreads();
  float sum = 0;
  for (int w = 0; w < warps; w++) sum += scratch[w];
  __syncthreads();
  return sum;
}

// d += a·b for bfloat16 fragments of 16 × 16 and 16 × 8 (PTX mma.m16n8k16); a lane holds pairs, two of them in a word.
__device__ __forceinline__ void multiplyFragments(float (&d)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
#if defined(__CUDACC__)
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#else
  emulation::multiplyFragments(d, a, b);
#endif
}

// Starts a kernel; an empty grid is none at all.
template <class... Parameters, class... Arguments>
void launch(void (*kernel)(Parameters...), dim3 grid, int threads, size_t sharedBytes, cudaStream_t stream,
            Arguments... arguments) {
  if (grid.x == 0 || grid.y == 0 || grid.z == 0) return;
#if defined(__CUDACC__)
  kernel<<<grid, threads, sharedBytes, stream>>>(static_cast<Parameters>(arguments)...);
#else
  emulation::launch(kernel, grid, dim3(threads), sharedBytes, stream, arguments...);
#endif
}

#endif

}  // namespace cuda
