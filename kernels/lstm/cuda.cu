// [i|f|g|o] = W_i·x + b + W_r·h;  c ← σ(f)·c + σ(i)·tanh(g);  h ← σ(o)·tanh(c); rows of several streams, each stream's
// one after the other. W_i goes over all rows at once; then turn n takes row n of every stream that has one: W_r over
// their h, and a thread per stream and unit. Streams with more rows come first, so that those of a turn are the first.

namespace cuda {

__device__ __forceinline__ float sigmoid(float x) { return 1.0f / (1.0f + expf(-x)); }

// The h of every stream, one after the other.
__global__ void takeHiddenKernel(LstmState state, StreamRows streams, int hidden, float* h) {
  const int s = blockIdx.x;
  if (s >= streams.count()) return;
  for (int i = threadIdx.x; i < hidden; i += blockDim.x)
    h[static_cast<int64_t>(s) * hidden + i] = state.h(streams.slots[s])[i];
}

__global__ void lstmCellKernel(const float* inputs, const float* recurrent, StreamRows streams, const int* active,
                               int turn, int hidden, LstmState state, float* h, float* out) {
  const int s = blockIdx.y, unit = blockIdx.x * blockDim.x + threadIdx.x;
  if (s >= active[turn] || unit >= hidden) return;
  const int64_t row = streams.begins[s] + turn;
  const auto gate = [&](int g) {
    return inputs[(4 * row + g) * hidden + unit] + recurrent[(4 * static_cast<int64_t>(s) + g) * hidden + unit];
  };
  const int slot = streams.slots[s];
  float& c = state.c(slot)[unit];
  const float kept = sigmoid(gate(1)) * c;
  c = kept + sigmoid(gate(0)) * tanhf(gate(2));
  const float answer = sigmoid(gate(3)) * tanhf(c);
  state.h(slot)[unit] = answer;
  h[static_cast<int64_t>(s) * hidden + unit] = answer;
  out[row * hidden + unit] = answer;
}

void lstm(const LstmWeights& weights, const float* x, Rows rows, LstmState state, StreamRows streams, LstmTurns turns,
          LstmWork work, float* out, cudaStream_t stream) {
  const int hidden = weights.recurrent.inputs;
  launch(takeHiddenKernel, streams.most, 128, 0, stream, state, streams, hidden, work.h);
  linear(weights.input, weights.bias, x, rows, nullptr, work.inputs, stream);
  for (int turn = 0; turn < turns.most; turn++) {
    linear(weights.recurrent, nullptr, work.h, {streams.most, turns.active + turn}, nullptr, work.recurrent, stream);
    launch(lstmCellKernel, dim3(ceilDivide(hidden, 128), streams.most), 128, 0, stream, work.inputs, work.recurrent,
           streams, turns.active, turn, hidden, state, work.h, out);
  }
}

}  // namespace cuda
