// A convolution over time as a product on the tile of linear/cuda.cu and in its order: the inputs of an output row are
// its window, tap by tap, read where they lie. The matrix is [outputs × kernel × padded(channels)]: each tap's weights
// are filled up with zeros to whole pieces of a lane, so that no piece lies in two taps.

namespace cuda {

struct Window {
  const float* begin;
  int channels, padded;
  int64_t tapStride;
};

__device__ __forceinline__ Piece pieceOf(const Window& window, int from, int inputs) {
  if (!window.begin || from >= inputs) return {nullptr, 0};
  const int tap = from / window.padded, within = from % window.padded;
  return {window.begin + tap * window.tapStride + within, window.channels - within};
}

template <int TILES>
__global__ void __launch_bounds__(TILE_THREADS)
    convolveKernel(const float* weights, const float* bias, const float* x, Rows rows, WindowLayout layout, int outputs,
                   int channels, int kernel, float* out) {
  const int firstRow = blockIdx.y * TILES * TILE_ROWS;
  const int count = rows.count();
  if (firstRow >= count) return;
  const int firstOutput = blockIdx.x * TILE_OUTPUTS;
  const int padded = paddedChannels(channels);
  const auto rowOf = [&](int n) {
    const int row = firstRow + n;
    Window window = {nullptr, channels, padded, static_cast<int64_t>(layout.dilation) * channels};
    if (row >= count) return window;
    const int shift = layout.shifts ? layout.shifts[row / layout.perShift] * layout.shiftRows : 0;
    window.begin = x + (static_cast<int64_t>(row) * layout.stride + shift) * channels;
    return window;
  };
  float sums[TILES][4] = {};
  multiplyTiles<TILES>(weights, outputs, kernel * padded, firstOutput, rowOf, sums);
  float* scratch = shared<float>();
  addWarps<TILES>(sums, scratch);
  forEachSum<TILES>(scratch, firstOutput, [&](int n, int output, float sum) {
    if (firstRow + n < count && output < outputs)
      out[static_cast<int64_t>(firstRow + n) * outputs + output] = bias ? sum + bias[output] : sum;
  });
}

void convolve(const Convolution& convolution, const float* x, Rows rows, WindowLayout layout, float* out,
              cudaStream_t stream) {
  if (rows.most == 0) return;
  const auto& [weights, bias, outputs, channels, kernel] = convolution;
  const unsigned across = ceilDivide(outputs, TILE_OUTPUTS);
  if (rows.most <= TILE_ROWS) {
    launch(convolveKernel<1>, across, TILE_THREADS, scratchBytes(1), stream, weights, bias, x, rows, layout, outputs,
           channels, kernel, out);
  } else {
    const dim3 grid(across, ceilDivide(rows.most, 4 * TILE_ROWS));
    launch(convolveKernel<4>, grid, TILE_THREADS, scratchBytes(4), stream, weights, bias, x, rows, layout, outputs,
           channels, kernel, out);
  }
}

}  // namespace cuda
