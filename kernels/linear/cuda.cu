// y = x·Wᵀ + b on the device, and the tile that all products are made of.
//
// x [rows × inputs] float, W [outputs × inputs] float or bfloat16, y [rows × outputs] float.
//
// Order of a sum: inputs in chunks of 64; chunk c belongs to warp c mod 4 of the block, which adds its chunks in
// ascending order; then the four sums in the order of the warps. With bfloat16 weights a chunk is four products of
// fragments (mma m16n8k16) in which a float of x is the exact sum of three bfloat16: the products are exact and float32
// is where they are added. Nothing of this depends on the number of rows, which only fill up tiles of eight.

namespace cuda {

constexpr int TILE_OUTPUTS = 16;
constexpr int TILE_ROWS = 8;
constexpr int TILE_WARPS = 4;
constexpr int TILE_THREADS = TILE_WARPS * WARP;
constexpr int CHUNK = 64;
// Inputs that a lane has of a chunk; consecutive, so that they are loaded at once. The fragments want other ones, but
// as long as both factors are permuted alike it is the same product.
constexpr int LANE_INPUTS = CHUNK / 4;

struct Lane {
  int warp, group, member;
  __device__ Lane() : warp(threadIdx.x / WARP), group(threadIdx.x % WARP / 4), member(threadIdx.x % 4) {}
};

__device__ __forceinline__ uint32_t paired(Bfloat16 first, Bfloat16 second) {
  return static_cast<uint32_t>(first.bits) | static_cast<uint32_t>(second.bits) << 16;
}

// Sixteen weights in eight words; zeros from `left` on.
__device__ __forceinline__ void loadWeights(const Bfloat16* at, int left, uint32_t (&words)[LANE_INPUTS / 2]) {
  if (left >= LANE_INPUTS && reinterpret_cast<uintptr_t>(at) % sizeof(uint4) == 0) {
    const uint4 first = reinterpret_cast<const uint4*>(at)[0];
    const uint4 second = reinterpret_cast<const uint4*>(at)[1];
    const uint32_t all[8] = {first.x, first.y, first.z, first.w, second.x, second.y, second.z, second.w};
    for (int i = 0; i < 8; i++) words[i] = all[i];
    return;
  }
  for (int i = 0; i < LANE_INPUTS / 2; i++) {
    const Bfloat16 zero = {0};
    words[i] = paired(2 * i < left ? at[2 * i] : zero, 2 * i + 1 < left ? at[2 * i + 1] : zero);
  }
}

__device__ __forceinline__ void loadInputs(const float* at, int left, float (&values)[LANE_INPUTS]) {
  if (left >= LANE_INPUTS && reinterpret_cast<uintptr_t>(at) % sizeof(float4) == 0) {
    for (int i = 0; i < LANE_INPUTS / 4; i++) {
      const float4 four = reinterpret_cast<const float4*>(at)[i];
      values[4 * i] = four.x;
      values[4 * i + 1] = four.y;
      values[4 * i + 2] = four.z;
      values[4 * i + 3] = four.w;
    }
    return;
  }
  for (int i = 0; i < LANE_INPUTS; i++) values[i] = i < left ? at[i] : 0.0f;
}

// Takes the leading bfloat16 off a value. What is not finite has no rest.
__device__ __forceinline__ Bfloat16 takeLeading(float& value) {
  const Bfloat16 leading = narrowed(value);
  const float rest = value - widened(leading);
  value = (__float_as_uint(value) & 0x7f800000u) == 0x7f800000u ? 0.0f : rest;
  return leading;
}

__device__ __forceinline__ uint32_t takeLeadingPair(float& first, float& second) {
  const Bfloat16 one = takeLeading(first);
  return paired(one, takeLeading(second));
}

// What a lane reads of a row from input `from` on: `left` floats, then zeros. A row is any type that this is defined
// for: a pointer, or null, here; the window of a convolution in conv1d/cuda.cu.
struct Piece {
  const float* at;
  int left;
};
__device__ __forceinline__ Piece pieceOf(const float* row, int from, int inputs) {
  return row ? Piece{row + from, inputs - from} : Piece{nullptr, 0};
}

// Adds this warp's chunks to sums[tile][i]: output `firstOutput` + group (+ 8 for i ≥ 2), row 8·tile + 2·member + (i
// odd). `rowOf(n)` is row n of the tiles, of which `pieceOf` knows where its inputs lie.
template <int TILES, class RowOf>
__device__ void multiplyTiles(const Bfloat16* weights, int outputs, int inputs, int firstOutput, RowOf rowOf,
                              float (&sums)[TILES][4]) {
  const Lane lane;
  // Outputs beyond the last one repeat it and are not kept.
  const int last = outputs - 1;
  const int upper = firstOutput + lane.group < last ? firstOutput + lane.group : last;
  const int lower = firstOutput + lane.group + 8 < last ? firstOutput + lane.group + 8 : last;
  float rests[TILES][4] = {};
  for (int chunk = lane.warp * CHUNK; chunk < inputs; chunk += TILE_WARPS * CHUNK) {
    const int from = chunk + lane.member * LANE_INPUTS;
    uint32_t upperWords[LANE_INPUTS / 2], lowerWords[LANE_INPUTS / 2];
    loadWeights(weights + static_cast<int64_t>(upper) * inputs + from, inputs - from, upperWords);
    loadWeights(weights + static_cast<int64_t>(lower) * inputs + from, inputs - from, lowerWords);
#pragma unroll
    for (int tile = 0; tile < TILES; tile++) {
      const Piece piece = pieceOf(rowOf(tile * TILE_ROWS + lane.group), from, inputs);
      float values[LANE_INPUTS];
      loadInputs(piece.at, piece.left, values);
#pragma unroll
      for (int step = 0; step < 4; step++) {
        const uint32_t a[4] = {upperWords[2 * step], lowerWords[2 * step], upperWords[2 * step + 1],
                               lowerWords[2 * step + 1]};
        float* four = values + 4 * step;
        for (int term = 0; term < 3; term++) {
          const uint32_t first = takeLeadingPair(four[0], four[1]);
          const uint32_t b[2] = {first, takeLeadingPair(four[2], four[3])};
          multiplyFragments(term == 0 ? sums[tile] : rests[tile], a, b);
        }
      }
    }
  }
  for (int tile = 0; tile < TILES; tile++) {
    for (int i = 0; i < 4; i++) sums[tile][i] += rests[tile][i];
  }
}

// The same for float weights, which keep their precision and have no fragments.
template <int TILES, class RowOf>
__device__ void multiplyTiles(const float* weights, int outputs, int inputs, int firstOutput, RowOf rowOf,
                              float (&sums)[TILES][4]) {
  const Lane lane;
  for (int i = 0; i < 4; i++) {
    const int output = firstOutput + lane.group + (i >= 2 ? 8 : 0);
    if (output >= outputs) continue;
    const float* w = weights + static_cast<int64_t>(output) * inputs;
    for (int tile = 0; tile < TILES; tile++) {
      const auto row = rowOf(tile * TILE_ROWS + 2 * lane.member + i % 2);
      float sum = 0;
      for (int chunk = lane.warp * CHUNK; chunk < inputs; chunk += TILE_WARPS * CHUNK) {
        for (int from = chunk; from < chunk + CHUNK; from += LANE_INPUTS) {
          const Piece piece = pieceOf(row, from, inputs);
          const int count = piece.left < LANE_INPUTS ? piece.left : LANE_INPUTS;
          for (int k = 0; k < count; k++) sum = fmaf(w[from + k], piece.at[k], sum);
        }
      }
      sums[tile][i] = sum;
    }
  }
}

// The sums of all warps in their order: of tile t and element e (= 4 · lane + i) in the first [TILES × 128] of
// `scratch`.
template <int TILES>
__device__ void addWarps(const float (&sums)[TILES][4], float* scratch) {
  constexpr int SIZE = TILES * TILE_OUTPUTS * TILE_ROWS;
  float* own = scratch + threadIdx.x / WARP * SIZE;
  for (int tile = 0; tile < TILES; tile++) {
    for (int i = 0; i < 4; i++) own[tile * 128 + threadIdx.x % WARP * 4 + i] = sums[tile][i];
  }
  __syncthreads();
  for (int e = threadIdx.x; e < SIZE; e += TILE_THREADS) {
    float sum = scratch[e];
    for (int warp = 1; warp < TILE_WARPS; warp++) sum += scratch[warp * SIZE + e];
    scratch[e] = sum;
  }
  __syncthreads();
}

constexpr size_t scratchBytes(int tiles) { return sizeof(float) * TILE_WARPS * tiles * TILE_OUTPUTS * TILE_ROWS; }

// Calls keep(row of the tiles, output, sum) for every element of the tiles.
template <int TILES, class Keep>
__device__ void forEachSum(const float* scratch, int firstOutput, Keep keep) {
  for (int e = threadIdx.x; e < TILES * 128; e += TILE_THREADS) {
    const int lane = e % 128 / 4, i = e % 4;
    keep(e / 128 * TILE_ROWS + 2 * (lane % 4) + i % 2, firstOutput + lane / 4 + (i >= 2 ? 8 : 0), scratch[e]);
  }
}

template <class T, int TILES>
__global__ void __launch_bounds__(TILE_THREADS)
    linearKernel(const T* weights, const float* bias, const float* x, Rows rows, int outputs, int inputs,
                 const float* addend, float* out) {
  const int firstRow = blockIdx.y * TILES * TILE_ROWS;
  const int count = rows.count();
  if (firstRow >= count) return;
  const int firstOutput = blockIdx.x * TILE_OUTPUTS;
  const auto rowOf = [&](int n) {
    return firstRow + n < count ? x + static_cast<int64_t>(firstRow + n) * inputs : nullptr;
  };
  float sums[TILES][4] = {};
  multiplyTiles<TILES>(weights, outputs, inputs, firstOutput, rowOf, sums);
  float* scratch = shared<float>();
  addWarps<TILES>(sums, scratch);
  forEachSum<TILES>(scratch, firstOutput, [&](int n, int output, float sum) {
    if (firstRow + n >= count || output >= outputs) return;
    const int64_t to = static_cast<int64_t>(firstRow + n) * outputs + output;
    if (bias) sum += bias[output];
    out[to] = addend ? addend[to] + sum : sum;
  });
}

template <class T>
void linearOf(const Matrix& matrix, const float* bias, const float* x, Rows rows, const float* addend, float* out,
              cudaStream_t stream) {
  const T* weights = static_cast<const T*>(matrix.values);
  const unsigned across = ceilDivide(matrix.outputs, TILE_OUTPUTS);
  // Many rows share what is loaded of the weights.
  if (rows.most <= TILE_ROWS) {
    launch(linearKernel<T, 1>, across, TILE_THREADS, scratchBytes(1), stream, weights, bias, x, rows, matrix.outputs,
           matrix.inputs, addend, out);
  } else {
    const dim3 grid(across, ceilDivide(rows.most, 4 * TILE_ROWS));
    launch(linearKernel<T, 4>, grid, TILE_THREADS, scratchBytes(4), stream, weights, bias, x, rows, matrix.outputs,
           matrix.inputs, addend, out);
  }
}

void linear(const Matrix& matrix, const float* bias, const float* x, Rows rows, const float* addend, float* out,
            cudaStream_t stream) {
  if (rows.most == 0) return;
  if (matrix.isBfloat16) linearOf<Bfloat16>(matrix, bias, x, rows, addend, out, stream);
  else linearOf<float>(matrix, bias, x, rows, addend, out, stream);
}

}  // namespace cuda
