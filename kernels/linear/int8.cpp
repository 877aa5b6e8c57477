// The product over int8 weights (linear/int8.ts has the definition): rows of x are brought to int8 with a scale of
// their own, sums are exact integers, so every level gives the same bits.

// Inputs that one instruction multiplies and adds per 32-bit lane, and how a row's numbers are stored for it.
#if defined(__AVX512VNNI__)
constexpr int GROUP = 4;
typedef uint8_t Quantised;  // Plus 128: the instruction wants one side unsigned; the surplus is taken off beforehand.
constexpr int QUANTISED_ZERO = 128;
#elif defined(__AVX2__)
constexpr int GROUP = 2;
typedef int16_t Quantised;
constexpr int QUANTISED_ZERO = 0;
#else
constexpr int GROUP = 1;
typedef int16_t Quantised;
constexpr int QUANTISED_ZERO = 0;
#endif
constexpr int QUANTISED_SCRATCH = 6;

KERNEL_INLINE int groupsOf(int inputs) { return ceilDiv(inputs, GROUP); }

// sums + the products of one group of inputs with LANES outputs; `x` are the group's numbers of a row.
KERNEL_INLINE VI addProducts(VI sums, const Quantised* x, const int8_t* w) {
#if defined(__AVX512VNNI__)
  int32_t four;
  __builtin_memcpy(&four, x, 4);
  return (VI)_mm512_dpbusd_epi32((__m512i)sums, _mm512_set1_epi32(four), _mm512_loadu_si512(w));
#elif defined(__AVX512F__)
  int32_t pair;
  __builtin_memcpy(&pair, x, 4);
  const __m512i weights = _mm512_cvtepi8_epi16(_mm256_loadu_si256((const __m256i*)w));
  return sums + (VI)_mm512_madd_epi16(weights, _mm512_set1_epi32(pair));
#elif defined(__AVX2__)
  int32_t pair;
  __builtin_memcpy(&pair, x, 4);
  const __m256i weights = _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i*)w));
  return sums + (VI)_mm256_madd_epi16(weights, _mm256_set1_epi32(pair));
#else
  typedef int8_t Bytes __attribute__((vector_size(LANES)));
  Bytes weights;
  __builtin_memcpy(&weights, w, sizeof weights);
  return sums + __builtin_convertvector(weights, VI) * (int32_t)x[0];
#endif
}

// What lies before the panels: per output its scale, then what the surplus of unsigned rows adds up to, negated.
struct Int8Parts {
  float* scales;
  int32_t* starts;
  int8_t* panels;
};

static Int8Parts int8Parts(const Matrix& matrix) {
  const size_t padded = (size_t)ceilDiv(matrix.outputs, LANES) * LANES;
  float* scales = (float*)matrix.panels;
  int32_t* starts = (int32_t*)(scales + padded);
  return {scales, starts, (int8_t*)(starts + padded)};
}

static size_t int8Bytes(int outputs, int inputs) {
  const size_t padded = (size_t)ceilDiv(outputs, LANES) * LANES;
  return padded * (8 + (size_t)groupsOf(inputs) * GROUP);
}

// Inside a panel: groups of inputs outermost, then outputs, then the inputs of a group.
static void packInt8(const int8_t* weight, const float* scales, const Matrix& matrix) {
  const int outputs = matrix.outputs, inputs = matrix.inputs;
  KERNEL_ASSERT(inputs <= MAX_INT8_INPUTS);
  const Int8Parts parts = int8Parts(matrix);
  for (int o = 0; o < ceilDiv(outputs, LANES) * LANES; o++) {
    int32_t sum = 0;
    for (int i = 0; i < inputs && o < outputs; i++) sum += weight[(size_t)o * inputs + i];
    parts.scales[o] = o < outputs ? scales[o] : 0;
    parts.starts[o] = -QUANTISED_ZERO * sum;
  }
  int8_t* to = parts.panels;
  for (int p = 0; p < ceilDiv(outputs, PANEL_WIDTH); p++) {
    const int width = panelVectors(outputs, p) * LANES;
    for (int g = 0; g < groupsOf(inputs); g++) {
      for (int c = 0; c < width; c++) {
        const int o = p * PANEL_WIDTH + c;
        for (int i = g * GROUP; i < (g + 1) * GROUP; i++)
          *to++ = o < outputs && i < inputs ? weight[(size_t)o * inputs + i] : 0;
      }
    }
  }
}

// Writes groupsOf(inputs) · GROUP numbers and returns the row's scale.
static float quantiseRow(const float* x, int inputs, Quantised* to) {
  // As integers, magnitudes keep their order and NaN is the largest.
  VI bits = {};
  int i = 0;
  for (; i + LANES <= inputs; i += LANES) {
    const VI magnitudes = (VI)magnitude(load(x + i));
    bits = magnitudes > bits ? magnitudes : bits;
  }
  if (i < inputs) {
    const VI magnitudes = (VI)magnitude(loadPart(x + i, inputs - i));
    bits = magnitudes > bits ? magnitudes : bits;
  }
  int32_t largestBits = 0;
  for (int n = 0; n < LANES; n++) largestBits = bits[n] > largestBits ? bits[n] : largestBits;
  float largest;
  __builtin_memcpy(&largest, &largestBits, 4);
  const bool finite = largestBits < 0x7f800000;
  const bool zero = largest < 0x1p-100f;
  const V inverse = splat(!finite || zero ? 0.0f : 127.0f / largest);
  const int padded = groupsOf(inputs) * GROUP;
  for (i = 0; i < padded; i += LANES) {
    const int n = padded - i < LANES ? padded - i : LANES;
    const int real = inputs - i < LANES ? inputs - i : LANES;
    const V value = real > 0 && finite ? loadPart(x + i, real) : V{};
    const VI whole = __builtin_convertvector(roundNearest(value * inverse), VI) + QUANTISED_ZERO;
    if (n == LANES) {
      typedef Quantised Narrow __attribute__((vector_size(sizeof(Quantised) * LANES)));
      const Narrow narrow = __builtin_convertvector(whole, Narrow);
      __builtin_memcpy(to + i, &narrow, sizeof narrow);
    } else {
      for (int k = 0; k < n; k++) to[i + k] = (Quantised)whole[k];
    }
  }
  return !finite ? __builtin_nanf("") : zero ? 0.0f : largest / 127.0f;
}

struct Int8Rows {
  const Quantised* x;
  size_t stride;
  const float* scales;
};

// R rows × N vectors of one panel; outputs from `column` on.
template <int R, int N>
static void int8Tile(const Matrix& matrix, const Int8Parts& parts, const Int8Rows& rows, int column, float* out,
                     size_t outStride) {
  const int groups = groupsOf(matrix.inputs);
  const int8_t* w = parts.panels + (size_t)column * groups * GROUP;
  VI sums[R][N];
  for (int n = 0; n < N; n++) {
    VI start;
    __builtin_memcpy(&start, parts.starts + column + n * LANES, sizeof start);
    for (int r = 0; r < R; r++) sums[r][n] = start;
  }
  for (int g = 0; g < groups; g++, w += N * LANES * GROUP) {
    if (R == 1) __builtin_prefetch(w + 4096);
    for (int n = 0; n < N; n++) {
      for (int r = 0; r < R; r++)
        sums[r][n] = addProducts(sums[r][n], rows.x + r * rows.stride + g * GROUP, w + n * LANES * GROUP);
    }
  }
  for (int n = 0; n < N; n++) {
    const int at = column + n * LANES;
    const int columns = matrix.outputs - at < LANES ? matrix.outputs - at : LANES;
    for (int r = 0; r < R; r++) {
      const V factor = splat(rows.scales[r]) * load(parts.scales + at);
      const V scaled = __builtin_convertvector(sums[r][n], V) * factor;
      storePart(out + r * outStride + at, matrix.bias ? scaled + loadPart(matrix.bias + at, columns) : scaled, columns);
    }
  }
}

template <int N>
static void int8TileOfRows(int count, const Matrix& matrix, const Int8Parts& parts, const Int8Rows& rows, int column,
                           float* out, size_t outStride) {
  switch (count) {
    case 1: return int8Tile<1, N>(matrix, parts, rows, column, out, outStride);
    case 2: return int8Tile<2, N>(matrix, parts, rows, column, out, outStride);
    case 3: return int8Tile<3, N>(matrix, parts, rows, column, out, outStride);
    case 4: return int8Tile<4, N>(matrix, parts, rows, column, out, outStride);
#if defined(__AVX2__)
    case 5: return int8Tile<5, N>(matrix, parts, rows, column, out, outStride);
    case 6: return int8Tile<6, N>(matrix, parts, rows, column, out, outStride);
#endif
  }
}

static void multiplyInt8(const Matrix& matrix, const float* x, size_t rowStride, int rows, float* out, size_t outStride,
                         int firstPanel, int endPanel) {
  const size_t stride = (size_t)groupsOf(matrix.inputs) * GROUP;
  float* scales = scratch(QUANTISED_SCRATCH, rows + (rows * stride * sizeof(Quantised) + 3) / 4);
  Quantised* quantised = (Quantised*)(scales + rows);
  for (int r = 0; r < rows; r++) scales[r] = quantiseRow(x + r * rowStride, matrix.inputs, quantised + r * stride);
  const Int8Parts parts = int8Parts(matrix);
  for (int p = firstPanel; p < endPanel; p++) {
    const int column = p * PANEL_WIDTH;
    const int vectors = panelVectors(matrix.outputs, p);
    int done = 0;
    for (int tiles = ceilDiv(rows, MAX_TILE_ROWS); tiles > 0; tiles--) {
      const int count = ceilDiv(rows - done, tiles);
      const Int8Rows part = {quantised + done * stride, stride, scales + done};
      float* to = out + done * outStride;
      switch (vectors) {
        case 1: int8TileOfRows<1>(count, matrix, parts, part, column, to, outStride); break;
        case 2: int8TileOfRows<2>(count, matrix, parts, part, column, to, outStride); break;
#if !defined(__AVX2__) || defined(__AVX512F__)
        case 3: int8TileOfRows<3>(count, matrix, parts, part, column, to, outStride); break;
        case 4: int8TileOfRows<4>(count, matrix, parts, part, column, to, outStride); break;
#endif
      }
      done += count;
    }
  }
}
