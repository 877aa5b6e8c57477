// The first half of a SwiGLU network: SiLU(gate·x) ⊙ up·x, both products on the tile of linear/cuda.cu and in its
// order. gate, up [inner × hidden] of one type; x [rows × hidden]; out [rows × inner].

namespace cuda {

// One tile of 16 outputs and 8 rows; calls keep(row, output, value) for the outputs that there are.
template <class T, class RowOf, class Keep>
__device__ void gatedTile(const T* gate, const T* up, int outputs, int inputs, int firstOutput, RowOf rowOf,
                          Keep keep) {
  float* scratch = shared<float>();
  float* upScratch = scratch + TILE_WARPS * 128;
  float sums[1][4] = {};
  multiplyTiles<1>(gate, outputs, inputs, firstOutput, rowOf, sums);
  addWarps<1>(sums, scratch);
  float upSums[1][4] = {};
  multiplyTiles<1>(up, outputs, inputs, firstOutput, rowOf, upSums);
  addWarps<1>(upSums, upScratch);
  forEachSum<1>(scratch, firstOutput, [&](int n, int output, float sum) {
    if (output < outputs) keep(n, output, gatedValue(sum, upScratch[threadIdx.x]));
  });
}

template <class T>
__global__ void __launch_bounds__(TILE_THREADS)
    gatedKernel(const T* gate, const T* up, const float* x, Rows rows, int outputs, int inputs, float* out) {
  const int firstRow = blockIdx.y * TILE_ROWS;
  const int count = rows.count();
  if (firstRow >= count) return;
  const int firstOutput = blockIdx.x * TILE_OUTPUTS;
  const auto rowOf = [&](int n) {
    return firstRow + n < count ? x + static_cast<int64_t>(firstRow + n) * inputs : nullptr;
  };
  gatedTile(gate, up, outputs, inputs, firstOutput, rowOf, [&](int n, int output, float value) {
    if (firstRow + n < count) out[static_cast<int64_t>(firstRow + n) * outputs + output] = value;
  });
}

template <class T>
void gatedOf(const Matrix& gate, const Matrix& up, const float* x, Rows rows, float* out, cudaStream_t stream) {
  const dim3 grid(ceilDivide(gate.outputs, TILE_OUTPUTS), ceilDivide(rows.most, TILE_ROWS));
  launch(gatedKernel<T>, grid, TILE_THREADS, 2 * scratchBytes(1), stream, static_cast<const T*>(gate.values),
         static_cast<const T*>(up.values), x, rows, gate.outputs, gate.inputs, out);
}

void gated(const Matrix& gate, const Matrix& up, const float* x, Rows rows, float* out, cudaStream_t stream) {
  if (gate.isBfloat16) gatedOf<Bfloat16>(gate, up, x, rows, out, stream);
  else gatedOf<float>(gate, up, x, rows, out, stream);
}

}  // namespace cuda
