// y = x·Wᵀ over packed panels, f32 accumulation. Every output is one chain acc = fma(x_i, w_i, acc) over i = 0 … n − 1,
// then the bias: GEMV, GEMM, any batch and any partition give the same bits. Blocks of inputs end by storing the
// accumulators and go on by loading them, which changes no bit either.
//
// The instructions for bfloat16 pairs (vdpbf16ps) are not used. They take both factors as bfloat16, so that rows of x
// would lose 16 bits; they add the second product of a pair before the first and take subnormal numbers as zero. This
// level's results would leave the stated bounds and differ from those of the other levels. Rows as sums of three
// bfloat16 numbers would keep the bits of x at one and a half instructions an input, against one multiply-add and an
// eighth of a widening.

// Inputs after which a tile of many rows stores its sums: the block of a panel then stays in the second-level cache.
constexpr int INPUT_BLOCK = 1024;

static size_t elementBytes(WeightType type) { return type == WeightType::f32 ? 4 : 2; }

static int panelCount(const Matrix& matrix) { return ceilDiv(matrix.outputs, PANEL_WIDTH); }

static size_t matrixBytes(int outputs, int inputs, WeightType type) {
  if (type == WeightType::int8) return int8Bytes(outputs, inputs);
  return (size_t)ceilDiv(outputs, LANES) * LANES * (size_t)inputs * elementBytes(type);
}

// Where output c of a panel of so many vectors lies in an input's run of weights. bfloat16 vectors lie in pairs
// (loadPair), a last odd one alone.
template <class T>
KERNEL_INLINE int packedPlace(int vectors, int c) {
  const int n = c / LANES;
  if (sizeof(T) == 4 || n >= vectors / 2 * 2) return c;
  return n / 2 * 2 * LANES + 2 * (c % LANES) + n % 2;
}

template <int N, class T>
KERNEL_INLINE void loadPacked(const T* from, V* weights) {
  for (int n = 0; n + 2 <= N; n += 2) loadPair(from + n * LANES, weights[n], weights[n + 1]);
  if (N % 2) weights[N - 1] = load(from + (N - 1) * LANES);
}

#if defined(__AVX512F__)
// Sixteen inputs of the sixteen outputs from `weight` on: words of one float, or of two bfloat16 numbers of which the
// second belongs to the output LANES further.
KERNEL_INLINE void loadWords(const float* weight, size_t stride, __m512i* words) {
  for (int o = 0; o < LANES; o++) words[o] = _mm512_loadu_si512(weight + o * stride);
}

KERNEL_INLINE void loadWords(const uint16_t* weight, size_t stride, __m512i* words) {
  for (int o = 0; o < LANES; o++) {
    const uint16_t* low = weight + o * stride;
    const __m512i first = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i*)low));
    const __m512i second = _mm512_cvtepu16_epi32(_mm256_loadu_si256((const __m256i*)(low + LANES * stride)));
    words[o] = _mm512_or_si512(first, _mm512_slli_epi32(second, 16));
  }
}

// The vectors of one panel whose outputs all exist, in runs of as many vectors as a word holds numbers; returns how
// many.
template <class T>
static int packWords(const T* weight, int outputs, int inputs, size_t stride, int vectors, T* to) {
  constexpr int TOGETHER = 4 / sizeof(T);
  int n = 0;
  for (; n + TOGETHER <= vectors && (n + TOGETHER) * LANES <= outputs; n += TOGETHER) {
    const T* from = weight + n * LANES * stride;
    T* out = to + n * LANES;
    int i = 0;
    for (; i + LANES <= inputs; i += LANES) {
      __m512i words[LANES];
      loadWords(from + i, stride, words);
      transposeWords(words);
      for (int k = 0; k < LANES; k++) _mm512_storeu_si512(out + (size_t)(i + k) * vectors * LANES, words[k]);
    }
    for (; i < inputs; i++) {
      for (int c = 0; c < TOGETHER * LANES; c++) {
        out[(size_t)i * vectors * LANES + packedPlace<T>(TOGETHER, c)] = from[c * stride + i];
      }
    }
  }
  return n;
}
#else
template <class T>
static int packWords(const T*, int, int, size_t, int, T*) {
  return 0;
}
#endif

constexpr int PACKED_INPUTS = 16;

// Element (o, i) of the matrix is weight[o·outputStride + i·inputStride].
template <class T>
static void packPanels(const T* weight, int outputs, int inputs, size_t outputStride, size_t inputStride, T* to) {
  for (int p = 0; p < ceilDiv(outputs, PANEL_WIDTH); p++) {
    const int vectors = panelVectors(outputs, p);
    const T* from = weight + p * PANEL_WIDTH * outputStride;
    const int left = outputs - p * PANEL_WIDTH;
    const int done = inputStride == 1 ? LANES * packWords(from, left, inputs, outputStride, vectors, to) : 0;
    // Some inputs of an output after the other: the rows of a wide matrix lie a multiple of a page apart, and one input
    // of each in turn would find nothing in the cache.
    for (int begin = 0; begin < inputs; begin += PACKED_INPUTS) {
      const int end = inputs - begin < PACKED_INPUTS ? inputs : begin + PACKED_INPUTS;
      for (int c = done; c < vectors * LANES; c++) {
        T* place = to + (size_t)begin * vectors * LANES + packedPlace<T>(vectors, c);
        for (int i = begin; i < end; i++, place += vectors * LANES) {
          *place = c < left ? from[c * outputStride + i * inputStride] : T{};
        }
      }
    }
    to += (size_t)vectors * LANES * inputs;
  }
}

// Panels firstPanel … endPanel − 1, whose outputs begin at `rows`.
template <class T>
static void packPart(const T* rows, const Matrix& matrix, int firstPanel, int endPanel) {
  const int first = firstPanel * PANEL_WIDTH, end = endPanel * PANEL_WIDTH;
  T* to = (T*)matrix.panels + (size_t)first * matrix.inputs;
  packPanels(rows, (end < matrix.outputs ? end : matrix.outputs) - first, matrix.inputs, matrix.inputs, 1, to);
}

static void packSomePanels(const void* rows, const Matrix& matrix, int firstPanel, int endPanel) {
  if (matrix.type == WeightType::f32) packPart((const float*)rows, matrix, firstPanel, endPanel);
  else packPart((const uint16_t*)rows, matrix, firstPanel, endPanel);
}

static void packMatrix(const void* weight, const float* scales, const Matrix& matrix) {
  if (matrix.type == WeightType::int8) {
    packInt8((const int8_t*)weight, scales, matrix);
  } else {
    packSomePanels(weight, matrix, 0, panelCount(matrix));
  }
}

// How far ahead of the multiply-adds weights are asked for: a few hundred cycles, and past the page borders at which
// the hardware stops doing so.
constexpr int AHEAD_BYTES = 2048;
constexpr size_t MAX_ASKED_BYTES = 32 << 10;
constexpr int WIDENED_SCRATCH = 10;

// One step of a product: which inputs, and what happens to the sums before and after.
struct Block {
  Windows windows;  // x moved to the block's first row and input.
  bool resume;      // Sums of earlier inputs lie in `out`.
  const float* bias;
  size_t outStride;
  int columns;  // Outputs of this panel that exist.
  // Weights to ask for meanwhile, and how many bytes further with every input.
  const char* ahead;
  int aheadStep;
  float* widened;  // Takes the weights as floats, where a tile widens for the next ones.
};

// R rows × N vectors of one panel, whose weights for an input lie `step` behind those for the one before. Conditions
// stand outside of the loops over the sums, so that these stay in registers.
template <int R, int N, bool WIDEN, class T>
static void tile(const Block& block, const float* x, const T* w, int step, float* out) {
  const Windows windows = block.windows;
  const size_t stride = windows.rowStride, outStride = block.outStride;
  const bool whole = block.columns >= N * LANES;
  const int rest = block.columns - (N - 1) * LANES;
  V sums[R][N] = {};
  if (block.resume) {
    for (int r = 0; r < R; r++) {
      const float* from = out + r * outStride;
      for (int n = 0; n < N; n++)
        sums[r][n] = n + 1 < N || whole ? load(from + n * LANES) : loadPart(from + n * LANES, rest);
    }
  }
  const char* ahead = block.ahead;
  const int aheadStep = block.aheadStep;
  float* widened = block.widened;
  for (int tap = 0; tap < windows.taps; tap++) {
    const float* row = x + tap * windows.tapStride;
    for (int i = 0; i < windows.tapWidth; i++, w += step, ahead += aheadStep) {
      // High and narrow tiles live on loads of x and take weights slowly: nothing need be asked for.
      if constexpr (N > 1 || R <= MAX_TILE_ROWS) {
        __builtin_prefetch(ahead);
        __builtin_prefetch(ahead + 64);
      }
      V weights[N];
      loadPacked<N>(w, weights);
      if constexpr (WIDEN) {
        for (int n = 0; n < N; n++, widened += LANES) store(widened, weights[n]);
      }
      for (int r = 0; r < R; r++) {
        const V value = splat(row[r * stride + i]);
        for (int n = 0; n < N; n++) sums[r][n] = fma(value, weights[n], sums[r][n]);
      }
    }
  }
  if (const float* from = block.bias) {
    V bias[N];
    for (int n = 0; n < N; n++)
      bias[n] = n + 1 < N || whole ? load(from + n * LANES) : loadPart(from + n * LANES, rest);
    for (int r = 0; r < R; r++) {
      for (int n = 0; n < N; n++) sums[r][n] += bias[n];
    }
  }
  for (int r = 0; r < R; r++) {
    float* to = out + r * outStride;
    for (int n = 0; n + 1 < N; n++) store(to + n * LANES, sums[r][n]);
    if (whole) store(to + (N - 1) * LANES, sums[r][N - 1]);
    else storePart(to + (N - 1) * LANES, sums[r][N - 1], rest);
  }
}

template <int R, int N, bool WIDEN, class T>
static void tileOfRows(int rows, const Block& block, const float* x, const T* w, int step, float* out) {
  if constexpr (R > 1) {
    if (rows < R) return tileOfRows<R - 1, N, WIDEN, T>(rows, block, x, w, step, out);
  }
  tile<R, N, WIDEN, T>(block, x, w, step, out);
}

template <class T>
static void tileOfPanel(int vectors, int rows, const Block& block, const float* x, const T* w, int step, float* out) {
  if constexpr (sizeof(T) == 2) {
    if (block.widened) {
      if (vectors == 2) return tileOfRows<tileRows(2), 2, true, T>(rows, block, x, w, step, out);
      return tileOfRows<tileRows(1), 1, true, T>(rows, block, x, w, step, out);
    }
  }
  switch (vectors) {
    case 1: return tileOfRows<tileRows(1), 1, false, T>(rows, block, x, w, step, out);
    case 2: return tileOfRows<tileRows(2), 2, false, T>(rows, block, x, w, step, out);
#if !defined(__AVX2__) || defined(__AVX512F__)
    case 3: return tileOfRows<tileRows(3), 3, false, T>(rows, block, x, w, step, out);
    case 4: return tileOfRows<tileRows(4), 4, false, T>(rows, block, x, w, step, out);
#endif
  }
}

// All rows of one panel over one block of inputs, in tiles of nearly equal height. Widening bfloat16 costs instructions
// that multiply-adds want: many rows take two vectors of the panel at a time, in tiles twice as high, and the first
// tile keeps the floats for the others.
template <class T>
static void panelRows(int vectors, Block block, int rows, const T* w, float* out) {
  constexpr bool NARROW = sizeof(T) == 2;
  const int inputBytes = vectors * LANES * sizeof(T);
  const size_t inputs = (size_t)block.windows.taps * block.windows.tapWidth;
  const int together = NARROW && vectors > 2 && rows > tileRows(vectors) ? 2 : vectors;
  // While later tiles go over weights that the first has brought, the next panel's are asked for, if the inner cache
  // holds both.
  const int laterPasses = ceilDiv(vectors, together) * ceilDiv(rows, tileRows(together)) - 1;
  const bool asksForNext = laterPasses > 0 && inputs * inputBytes <= MAX_ASKED_BYTES;
  block.ahead = (const char*)w + AHEAD_BYTES;
  block.aheadStep = inputBytes;
  bool first = true;
  for (int n = 0; n < vectors; n += together) {
    const int width = vectors - n < together ? vectors - n : together;
    float* floats =
        NARROW && width <= 2 && rows > 2 * tileRows(width) ? scratch(WIDENED_SCRATCH, inputs * width * LANES) : nullptr;
    int done = 0;
    for (int tiles = ceilDiv(rows, tileRows(width)); tiles > 0; tiles--) {
      const int count = ceilDiv(rows - done, tiles);
      const float* x = block.windows.x + done * block.windows.rowStride;
      float* to = out + done * block.outStride;
      if (floats && done > 0) {
        tileOfPanel<float>(width, count, block, x, floats, width * LANES, to);
      } else {
        block.widened = floats;
        tileOfPanel<T>(width, count, block, x, w + n * LANES, vectors * LANES, to);
      }
      done += count;
      if (asksForNext) {
        block.ahead = first ? (const char*)w + inputs * inputBytes : block.ahead + inputs * block.aheadStep;
        block.aheadStep = ceilDiv(inputBytes, laterPasses);
      }
      first = false;
    }
    block.columns -= together * LANES;
    if (block.bias) block.bias += together * LANES;
    out += together * LANES;
  }
}

// One row against G whole panels at once: their streams of weights hide each other's latency.
template <int G, class T>
static void gemv(const Windows& windows, const T* w, size_t panelSize, const float* bias, float* out) {
  V sums[G][PANEL] = {};
  size_t at = 0;
  for (int tap = 0; tap < windows.taps; tap++) {
    const float* row = windows.x + tap * windows.tapStride;
    for (int i = 0; i < windows.tapWidth; i++, at += PANEL_WIDTH) {
      const V value = splat(row[i]);
      for (int g = 0; g < G; g++) {
        const T* from = w + g * panelSize + at;
        __builtin_prefetch((const char*)from + AHEAD_BYTES);
        V weights[PANEL];
        loadPacked<PANEL>(from, weights);
        for (int n = 0; n < PANEL; n++) sums[g][n] = fma(value, weights[n], sums[g][n]);
      }
    }
  }
  for (int g = 0; g < G; g++) {
    for (int n = 0; n < PANEL; n++) {
      const int o = g * PANEL_WIDTH + n * LANES;
      store(out + o, bias ? sums[g][n] + load(bias + o) : sums[g][n]);
    }
  }
}

template <class T>
static void multiplyPanels(const Matrix& matrix, const Windows& windows, int rows, float* out, size_t outStride,
                           int firstPanel, int endPanel) {
  const size_t panelSize = (size_t)matrix.inputs * PANEL_WIDTH;
  const int whole = matrix.outputs / PANEL_WIDTH;
  for (int p = firstPanel; p < endPanel;) {
    const T* w = (const T*)matrix.panels + p * panelSize;
    const int column = p * PANEL_WIDTH;
    const float* bias = matrix.bias ? matrix.bias + column : nullptr;
    if (rows == 1 && p + GEMV_PANELS <= whole && p + GEMV_PANELS <= endPanel) {
      gemv<GEMV_PANELS, T>(windows, w, panelSize, bias, out + column);
      p += GEMV_PANELS;
      continue;
    }
    const int vectors = panelVectors(matrix.outputs, p);
    const int left = matrix.outputs - column;
    Block block = {windows, false, nullptr, outStride, left < PANEL_WIDTH ? left : PANEL_WIDTH, nullptr, 0, nullptr};
    const bool manyRows = rows > MAX_TILE_ROWS;
    // Blocks are runs of inputs in a linear layer, single taps in a convolution.
    const bool linear = windows.taps == 1;
    const int total = linear ? windows.tapWidth : windows.taps;
    const int step = !manyRows ? total : linear ? INPUT_BLOCK : ceilDiv(INPUT_BLOCK, windows.tapWidth);
    for (int begin = 0; begin < total; begin += step) {
      const int count = total - begin < step ? total - begin : step;
      block.windows.x = windows.x + begin * (linear ? 1 : windows.tapStride);
      if (linear) block.windows.tapWidth = count;
      else block.windows.taps = count;
      block.resume = begin > 0;
      block.bias = begin + count == total ? bias : nullptr;
      panelRows<T>(vectors, block, rows, w, out + column);
      w += (size_t)count * (linear ? 1 : windows.tapWidth) * vectors * LANES;
    }
    p++;
  }
}

static void multiply(const Matrix& matrix, const Windows& windows, int rows, float* out, size_t outStride,
                     int firstPanel, int endPanel) {
  if (matrix.type == WeightType::int8) {
    KERNEL_ASSERT(windows.taps == 1);
    multiplyInt8(matrix, windows.x, windows.rowStride, rows, out, outStride, firstPanel, endPanel);
  } else if (matrix.type == WeightType::f32) {
    if (oneOutput(matrix, windows, rows, out, outStride)) return;
    multiplyPanels<float>(matrix, windows, rows, out, outStride, firstPanel, endPanel);
  } else {
    multiplyPanels<uint16_t>(matrix, windows, rows, out, outStride, firstPanel, endPanel);
  }
}

// The rows of a plain matrix.
KERNEL_INLINE Windows plainRows(const float* x, int inputs) { return {x, (size_t)inputs, 1, 0, inputs}; }

KERNEL_INLINE void multiplyAll(const Matrix& matrix, const float* x, int rows, float* out) {
  multiply(matrix, plainRows(x, matrix.inputs), rows, out, matrix.outputs, 0, panelCount(matrix));
}
