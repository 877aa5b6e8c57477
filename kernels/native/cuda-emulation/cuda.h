// CUDA's words with their meaning on a processor: the same .cu files compile with g++ behind this header (device.h) and
// run as described in docs/cuda.md. A block is a set of fibres that switch at barriers, the lanes of a warp exchange
// through a table, streams are queues whose order is shuffled as far as their dependencies allow. Only what the kernels
// use is here.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <tuple>

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __launch_bounds__(...)

struct dim3 {
  unsigned x, y, z;
  constexpr dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
};

struct alignas(16) uint4 {
  uint32_t x, y, z, w;
};
struct alignas(16) float4 {
  float x, y, z, w;
};

namespace emulation {

// Of the running thread. Functions, not variables: kernels compiled with instrumentation must not seem to read host
// memory.
dim3 threadIndex();
dim3 blockIndex();
dim3 blockSize();
dim3 gridSize();
void* sharedMemory();

void synchroniseBlock();
void synchroniseWarp(unsigned mask);
// Gives every lane of `mask` the value that lane `source` brought.
void shuffle(void* value, unsigned bytes, unsigned mask, unsigned source);
unsigned ballot(unsigned mask, bool vote);
// D = A·B + D for the fragments of mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32, laid out as PTX says.
void multiplyFragments(float d[4], const uint32_t a[4], const uint32_t b[2]);
// cp.async: takes place at the latest moment that is allowed, when its group is waited for.
void copyAsync(void* to, const void* from, unsigned bytes);
void commitCopies();
void waitForCopies(unsigned groupsLeft);

// The thread has its parameters.
void beginKernel();

using Work = std::function<void()>;
void enqueue(const void* kernel, dim3 grid, dim3 block, size_t sharedBytes, struct Stream* stream, Work thread);

}  // namespace emulation

#define threadIdx (::emulation::threadIndex())
#define blockIdx (::emulation::blockIndex())
#define blockDim (::emulation::blockSize())
#define gridDim (::emulation::gridSize())

inline void __syncthreads() { emulation::synchroniseBlock(); }
inline void __syncwarp(unsigned mask = 0xffffffffu) { emulation::synchroniseWarp(mask); }

template <class T>
T __shfl_sync(unsigned mask, T value, int lane) {
  emulation::shuffle(&value, sizeof(T), mask, lane & 31);
  return value;
}

template <class T>
T __shfl_xor_sync(unsigned mask, T value, int turn) {
  emulation::shuffle(&value, sizeof(T), mask, (threadIdx.x ^ turn) & 31);
  return value;
}

inline unsigned __ballot_sync(unsigned mask, bool vote) { return emulation::ballot(mask, vote); }
inline int __popc(unsigned bits) { return __builtin_popcount(bits); }
inline float __fmul_rn(float a, float b) { return a * b; }
inline float __fadd_rn(float a, float b) { return a + b; }
inline float __fdiv_rn(float a, float b) { return a / b; }
inline double __dadd_rn(double a, double b) { return a + b; }
inline double __dmul_rn(double a, double b) { return a * b; }
inline double __ddiv_rn(double a, double b) { return a / b; }
inline double __dsqrt_rn(double a) { return std::sqrt(a); }
inline float __fsqrt_rn(float a) { return std::sqrt(a); }
inline float __uint_as_float(uint32_t bits) { return __builtin_bit_cast(float, bits); }
inline uint32_t __float_as_uint(float value) { return __builtin_bit_cast(uint32_t, value); }

// ─── the device library ────────────────────────────────────────────────────────────────────────────────────────

enum cudaError_t {
  cudaSuccess = 0,
  cudaErrorInvalidValue = 1,
  cudaErrorMemoryAllocation = 2,
  cudaErrorNoDevice = 100,
  cudaErrorIllegalAddress = 700,
};
enum cudaMemcpyKind { cudaMemcpyHostToDevice = 1, cudaMemcpyDeviceToHost = 2, cudaMemcpyDeviceToDevice = 3 };
enum cudaStreamCaptureMode { cudaStreamCaptureModeThreadLocal = 1 };
constexpr unsigned cudaEventDisableTiming = 2;
constexpr unsigned cudaStreamNonBlocking = 1;

namespace emulation {
struct Stream;
struct Event;
struct Graph;
}  // namespace emulation
using cudaStream_t = emulation::Stream*;
using cudaEvent_t = emulation::Event*;
using cudaGraph_t = emulation::Graph*;
using cudaGraphExec_t = emulation::Graph*;

struct cudaDeviceProp {
  char name[256];
  int major, minor, multiProcessorCount;
  size_t totalGlobalMem;
};

cudaError_t cudaGetDeviceCount(int* count);
cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device);
cudaError_t cudaMemGetInfo(size_t* free, size_t* total);
cudaError_t cudaMalloc(void** memory, size_t bytes);
cudaError_t cudaFree(void* memory);
cudaError_t cudaMallocHost(void** memory, size_t bytes);
cudaError_t cudaFreeHost(void* memory);
cudaError_t cudaMemcpy(void* to, const void* from, size_t bytes, cudaMemcpyKind kind);
cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream = nullptr);
cudaError_t cudaMemsetAsync(void* memory, int value, size_t bytes, cudaStream_t stream = nullptr);
cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags);
cudaError_t cudaStreamDestroy(cudaStream_t stream);
cudaError_t cudaStreamSynchronize(cudaStream_t stream);
cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned flags = 0);
cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned flags);
cudaError_t cudaEventDestroy(cudaEvent_t event);
cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream);
cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode);
cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph);
cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph, unsigned long long flags = 0);
cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream);
cudaError_t cudaGraphDestroy(cudaGraph_t graph);
cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable);
cudaError_t cudaGetLastError();
// Of an illegal address: what the kernel did, in words.
const char* cudaGetErrorString(cudaError_t error);

namespace emulation {

template <class... Parameters, class... Arguments>
void launch(void (*kernel)(Parameters...), dim3 grid, dim3 block, size_t sharedBytes, cudaStream_t stream,
            Arguments... arguments) {
  enqueue(reinterpret_cast<const void*>(kernel), grid, block, sharedBytes, stream, [=] {
    // From the host's memory to the thread's own stack, as parameters come; what is read from here on is the kernel's
    // doing.
    const std::tuple<Parameters...> own(static_cast<Parameters>(arguments)...);
    const auto entry = kernel;
    beginKernel();
    std::apply(entry, own);
  });
}

}  // namespace emulation
