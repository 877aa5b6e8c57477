// A product of one output leaves all lanes of its panel but one empty. Where windows begin a row apart, many of them
// fill the lanes instead: a lane is a window, its chain of multiply-adds is the same, and so are the bits.
constexpr int ONE_OUTPUT_SLOT = 13;
constexpr int ONE_OUTPUT_WIDTH = 64;
constexpr int ONE_OUTPUT_TAPS = 16;
constexpr int ONE_OUTPUT_BLOCK = 256;

#if defined(__AVX512F__)
// The columns of `rows` rows of x side by side, `pitch` apart.
static void columnsOf(const float* x, int width, int rows, float* columns, int pitch) {
  for (int r = 0; r < rows; r += LANES) {
    for (int c = 0; c < width; c += LANES) {
      __m512i words[LANES];
      for (int k = 0; k < LANES; k++) {
        words[k] = r + k < rows ? _mm512_loadu_si512(x + (size_t)(r + k) * width + c) : _mm512_setzero_si512();
      }
      transposeWords(words);
      for (int k = 0; k < LANES; k++) _mm512_storeu_si512(columns + (size_t)(c + k) * pitch + r, words[k]);
    }
  }
}

// G vectors of windows at once, so that their chains hide each other's latency.
template <int G>
KERNEL_INLINE void oneOutputOf(const Matrix& matrix, const Windows& windows, const float* columns, int pitch, int rows,
                               float* out) {
  const float* weight = (const float*)matrix.panels;
  V sums[G] = {};
  for (int tap = 0; tap < windows.taps; tap++) {
    for (int c = 0; c < windows.tapWidth; c++, weight += LANES) {
      const V w = splat(*weight);
      const float* from = columns + (size_t)c * pitch + tap;
      for (int g = 0; g < G; g++) sums[g] = fma(load(from + g * LANES), w, sums[g]);
    }
  }
  for (int g = 0; g < G; g++) {
    const int n = rows - g * LANES < LANES ? rows - g * LANES : LANES;
    storePart(out + g * LANES, matrix.bias ? sums[g] + splat(*matrix.bias) : sums[g], n);
  }
}

// False where the product is none of these.
static bool oneOutput(const Matrix& matrix, const Windows& windows, int rows, float* out, size_t outStride) {
  const int width = windows.tapWidth, taps = windows.taps;
  const bool fits = matrix.outputs == 1 && outStride == 1 && matrix.type == WeightType::f32 && rows >= LANES &&
                    width % LANES == 0 && width <= ONE_OUTPUT_WIDTH && taps <= ONE_OUTPUT_TAPS &&
                    windows.rowStride == (size_t)width && (taps == 1 || windows.tapStride == (size_t)width);
  if (!fits) return false;
  constexpr int pitch = ONE_OUTPUT_BLOCK + 2 * LANES;
  float* columns = scratch(ONE_OUTPUT_SLOT, (size_t)width * pitch);
  for (int begin = 0; begin < rows; begin += ONE_OUTPUT_BLOCK) {
    const int count = rows - begin < ONE_OUTPUT_BLOCK ? rows - begin : ONE_OUTPUT_BLOCK;
    columnsOf(windows.x + (size_t)begin * width, width, count + taps - 1, columns, pitch);
    int r = 0;
    for (; r + 7 * LANES < count; r += 8 * LANES)
      oneOutputOf<8>(matrix, windows, columns + r, pitch, count - r, out + begin + r);
    for (; r < count; r += LANES) oneOutputOf<1>(matrix, windows, columns + r, pitch, count - r, out + begin + r);
  }
  return true;
}
#else
static bool oneOutput(const Matrix&, const Windows&, int, float*, size_t) { return false; }
#endif
