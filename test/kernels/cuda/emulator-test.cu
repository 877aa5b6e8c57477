// The emulator's own test: sound kernels pass under many orders, and a broken one of each kind is found. One line each:
// name, tab, what was found (empty: nothing), tab, how many of the orders found it.
#include <cstdio>
#include <string>

#include "../../../kernels/native/cuda/device.h"
#include "../../../kernels/native/cuda-emulation/emulator.h"

using namespace cuda;

// Not in a namespace without a name: findings name the kernel.
namespace test {

constexpr int SEEDS = 20;
constexpr int COUNT = 256;

// Turns each block's values around by way of shared memory.
__global__ void reverse(const float* x, float* out, int barrier) {
  float* tile = shared<float>();
  tile[threadIdx.x] = x[blockIdx.x * blockDim.x + threadIdx.x];
  if (barrier) __syncthreads();
  out[blockIdx.x * blockDim.x + threadIdx.x] = tile[blockDim.x - 1 - threadIdx.x];
}

// A warp's lanes pass values on through shared memory; within a warp __syncwarp is enough, between warps it is not.
__global__ void rotate(const float* x, float* out, int distance) {
  float* tile = shared<float>();
  const int i = threadIdx.x;
  tile[i] = x[i];
  __syncwarp();
  const int from = distance < WARP ? i / WARP * WARP + (i + distance) % WARP : (i + distance) % COUNT;
  out[i] = tile[from];
}

__global__ void sum(const float* x, float* out, int firstTurn) {
  float value = x[threadIdx.x];
  for (int turn = firstTurn; turn > 0; turn /= 2) value += __shfl_xor_sync(ALL_LANES, value, turn);
  out[threadIdx.x] = value;
}

__global__ void copyPast(const float* x, float* out, int count) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i <= count) out[i] = x[i];
}

__global__ void sharedPast(const float* x, float* out, int past) {
  float* tile = shared<float>();
  tile[threadIdx.x + past] = x[threadIdx.x];
  __syncthreads();
  out[threadIdx.x] = tile[threadIdx.x + past];
}

__global__ void halfAtBarrier(float* out) {
  if (threadIdx.x < blockDim.x / 2) __syncthreads();
  out[threadIdx.x] = 1;
}

__global__ void oneAddress(float* out) { out[0] = static_cast<float>(blockIdx.x); }

__global__ void readUnwritten(const float* unwritten, float* out) { out[threadIdx.x] = unwritten[threadIdx.x]; }

__global__ void addOne(float* x) { x[threadIdx.x] += 1; }
__global__ void twice(float* x) { x[threadIdx.x] *= 2; }

// Fetches the next tile while this one is worked on; `isLate` forgets to wait for it.
__global__ void fetchAhead(const float* x, float* out, int isLate) {
  float* tile = shared<float>();
  emulation::copyAsync(tile + threadIdx.x, x + threadIdx.x, sizeof(float));
  emulation::commitCopies();
  if (!isLate) emulation::waitForCopies(0);
  out[threadIdx.x] = tile[threadIdx.x];
}

// C = A·B for 16 × 16 and 16 × 8 bfloat16, fragments by hand; `wrong` exchanges two words of A.
__global__ void product(const Bfloat16* a, const Bfloat16* b, float* out, int wrong) {
  const int group = threadIdx.x / 4, member = threadIdx.x % 4;
  const auto pair = [](const Bfloat16* at, int stride) {
    return static_cast<uint32_t>(at[0].bits) | static_cast<uint32_t>(at[stride].bits) << 16;
  };
  const Bfloat16* upper = a + group * 16 + 2 * member;
  const Bfloat16* lower = upper + 8 * 16;
  uint32_t left[4] = {pair(upper, 1), pair(lower, 1), pair(upper + 8, 1), pair(lower + 8, 1)};
  if (wrong) {
    const uint32_t kept = left[1];
    left[1] = left[2];
    left[2] = kept;
  }
  const Bfloat16* column = b + 2 * member * 8 + group;
  const uint32_t right[2] = {pair(column, 8), pair(column + 8 * 8, 8)};
  float sums[4] = {};
  multiplyFragments(sums, left, right);
  for (int i = 0; i < 4; i++) out[(group + (i >= 2 ? 8 : 0)) * 8 + 2 * member + i % 2] = sums[i];
}

float* device(int count) {
  void* memory = nullptr;
  cudaMalloc(&memory, count * sizeof(float));
  return static_cast<float*>(memory);
}

// Runs under all orders. `run` returns whether its result is right.
template <class Run>
void tryAll(const char* name, Run run) {
  std::string found;
  int times = 0;
  for (int seed = 1; seed <= SEEDS; seed++) {
    emulation::seedOrder(seed);
    const bool isRight = run();
    const cudaError_t error = cudaGetLastError();
    std::string what = error ? cudaGetErrorString(error) : isRight ? "" : "a wrong result";
    if (!what.empty()) times++;
    if (found.empty()) found = what;
  }
  std::printf("%s\t%s\t%d of %d\n", name, found.c_str(), times, SEEDS);
}

float in[COUNT], result[COUNT];

// A kernel from COUNT floats to as many.
template <class Start, class Expect>
void testOnFloats(const char* name, Start start, Expect expected) {
  tryAll(name, [&] {
    float *x = device(COUNT), *out = device(COUNT);
    cudaMemcpy(x, in, sizeof in, cudaMemcpyHostToDevice);
    start(x, out);
    cudaMemcpy(result, out, sizeof result, cudaMemcpyDeviceToHost);
    bool isRight = true;
    for (int i = 0; i < COUNT; i++) isRight = isRight && result[i] == expected(i);
    cudaFree(x);
    cudaFree(out);
    return isRight;
  });
}

float any(int i) { return result[i]; }

void testBlocks() {
  const auto reversed = [](int i) { return in[i / 64 * 64 + 63 - i % 64]; };
  const auto run = [](int barrier) {
    return [=](float* x, float* out) { launch(reverse, 4, 64, 256, nullptr, x, out, barrier); };
  };
  testOnFloats("sound: a barrier", run(1), reversed);
  testOnFloats("broken: missing barrier", run(0), any);
  const auto turned = [](int i) { return in[i / WARP * WARP + (i + 5) % WARP]; };
  testOnFloats(
      "sound: a barrier of the warp",
      [](float* x, float* out) { launch(rotate, 1, COUNT, 4 * COUNT, nullptr, x, out, 5); }, turned);
  testOnFloats(
      "broken: a barrier of the warp between warps",
      [](float* x, float* out) { launch(rotate, 1, COUNT, 4 * COUNT, nullptr, x, out, 40); }, any);
  testOnFloats(
      "broken: half a block at the barrier", [](float*, float* out) { launch(halfAtBarrier, 1, 64, 0, nullptr, out); },
      any);
}

void testLanes() {
  const auto whole = [](int i) {
    float total = 0;
    for (int j = 0; j < WARP; j++) total += in[i / WARP * WARP + j];
    return total;
  };
  const auto run = [](int turn) {
    return [=](float* x, float* out) { launch(sum, 1, COUNT, 0, nullptr, x, out, turn); };
  };
  testOnFloats("sound: a sum by shuffles", run(16), whole);
  testOnFloats("broken: a shuffle too few", run(8), whole);
}

void testMemory() {
  const auto same = [](int i) { return in[i]; };
  testOnFloats(
      "sound: all elements", [](float* x, float* out) { launch(copyPast, 3, 128, 0, nullptr, x, out, COUNT - 1); },
      same);
  testOnFloats(
      "broken: one element too many", [](float* x, float* out) { launch(copyPast, 3, 128, 0, nullptr, x, out, COUNT); },
      same);
  testOnFloats(
      "sound: all of shared memory",
      [](float* x, float* out) { launch(sharedPast, 1, COUNT, 4 * COUNT, nullptr, x, out, 0); }, same);
  testOnFloats(
      "broken: past shared memory",
      [](float* x, float* out) { launch(sharedPast, 1, COUNT, 4 * COUNT, nullptr, x, out, 1); }, same);
  testOnFloats(
      "broken: memory of the host",
      [](float*, float* out) { launch(copyPast, 2, 128, 0, nullptr, in, out, COUNT - 1); }, same);
  testOnFloats(
      "broken: a race between blocks", [](float*, float* out) { launch(oneAddress, 4, 1, 0, nullptr, out); }, any);
  testOnFloats(
      "broken: reads what nobody wrote",
      [](float* x, float* out) {
        float* fresh = device(COUNT);
        launch(readUnwritten, 1, COUNT, 0, nullptr, fresh, out);
        cudaFree(fresh);
        (void)x;
      },
      any);
  const auto fetch = [](int isLate) {
    return [=](float* x, float* out) { launch(fetchAhead, 1, COUNT, 4 * COUNT, nullptr, x, out, isLate); };
  };
  testOnFloats("sound: an asynchronous copy", fetch(0), same);
  testOnFloats("broken: an asynchronous copy not waited for", fetch(1), same);
}

void testFragments(int wrong) {
  Bfloat16 a[256], b[128];
  for (int i = 0; i < 256; i++) a[i] = narrowed(static_cast<float>(i * 7 % 23 - 11));
  for (int i = 0; i < 128; i++) b[i] = narrowed(static_cast<float>(i * 5 % 19 - 9));
  tryAll(wrong ? "broken: words of a fragment exchanged" : "sound: a product of fragments", [&] {
    float *left = device(128), *right = device(64), *out = device(128);
    cudaMemcpy(left, a, sizeof a, cudaMemcpyHostToDevice);
    cudaMemcpy(right, b, sizeof b, cudaMemcpyHostToDevice);
    launch(product, 1, WARP, 0, nullptr, reinterpret_cast<Bfloat16*>(left), reinterpret_cast<Bfloat16*>(right), out,
           wrong);
    cudaMemcpy(result, out, 128 * sizeof(float), cudaMemcpyDeviceToHost);
    bool isRight = true;
    for (int m = 0; m < 16; m++) {
      for (int n = 0; n < 8; n++) {
        float expected = 0;
        for (int k = 0; k < 16; k++) expected += widened(a[m * 16 + k]) * widened(b[k * 8 + n]);
        isRight = isRight && result[m * 8 + n] == expected;
      }
    }
    for (float* memory : {left, right, out}) cudaFree(memory);
    return isRight;
  });
}

// x + 1, then doubled on another stream, which waits for an event or does not; also as a graph.
void testStreams(bool isWaiting, bool isGraph) {
  const std::string name = std::string(isWaiting ? "sound: " : "broken: ") + (isGraph ? "a graph" : "two streams") +
                           (isWaiting ? "" : " without an event");
  testOnFloats(
      name.c_str(),
      [&](float* x, float* out) {
        cudaStream_t one, two;
        cudaEvent_t began, added, doubled;
        for (cudaStream_t* stream : {&one, &two}) cudaStreamCreateWithFlags(stream, cudaStreamNonBlocking);
        for (cudaEvent_t* event : {&began, &added, &doubled}) cudaEventCreateWithFlags(event, cudaEventDisableTiming);
        // What was begun before a capture is done before the graph that comes of it.
        cudaMemsetAsync(x, 0, sizeof in, one);
        cudaMemcpyAsync(x, in, sizeof in, cudaMemcpyHostToDevice, one);
        if (isGraph) cudaStreamBeginCapture(one, cudaStreamCaptureModeThreadLocal);
        cudaEventRecord(began, one);
        cudaStreamWaitEvent(two, began);
        launch(addOne, 1, COUNT, 0, one, x);
        cudaEventRecord(added, one);
        if (isWaiting) cudaStreamWaitEvent(two, added);
        launch(twice, 1, COUNT, 0, two, x);
        cudaEventRecord(doubled, two);
        cudaStreamWaitEvent(one, doubled);
        cudaMemcpyAsync(out, x, sizeof in, cudaMemcpyDeviceToDevice, one);
        if (isGraph) {
          cudaGraph_t graph;
          cudaGraphExec_t executable;
          cudaStreamEndCapture(one, &graph);
          cudaGraphInstantiate(&executable, graph);
          cudaGraphLaunch(executable, one);
          cudaStreamSynchronize(one);
          cudaGraphExecDestroy(executable);
          cudaGraphDestroy(graph);
        }
        cudaStreamSynchronize(one);
        for (cudaEvent_t event : {began, added, doubled}) cudaEventDestroy(event);
        for (cudaStream_t stream : {one, two}) cudaStreamDestroy(stream);
      },
      [](int i) { return 2 * (in[i] + 1); });
}

}  // namespace test

int main() {
  using namespace test;
  for (int i = 0; i < COUNT; i++) in[i] = static_cast<float>(i * i % 101);
  testBlocks();
  testLanes();
  testMemory();
  testFragments(0);
  testFragments(1);
  for (const bool isGraph : {false, true}) {
    testStreams(true, isGraph);
    testStreams(false, isGraph);
  }
  return 0;
}
