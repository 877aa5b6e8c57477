// The absorbed form, one query row at a time: query into the latent space, scores over the cache, softmax, weighted
// latents, value. A cached row is read once for HEADS_TOGETHER heads. Nothing depends on how rows were grouped.
constexpr int HEADS_TOGETHER = 4;

// Lanes behind `width` are zero, so that whole vectors of a query can meet the last part of a cached row.
KERNEL_INLINE int paddedTo(int width) { return ceilDiv(width, LANES) * LANES; }

KERNEL_INLINE int partOf(int width, int i) { return width - i < LANES ? width - i : LANES; }

// One weighted sum of rows per head: Σ_n factors[n] · rows[n·width …], each output one chain of additions over n.
struct HeadSums {
  const float* factors;
  size_t factorStride;  // From head to head, as the other strides.
  const float* rows;
  size_t rowsStride;
  int count, width;
  float* out;
  size_t outStride;
};

// C vectors of outputs from `column` on, the last of them `part` wide, for H heads: H·C chains hide each other's latency.
template <int H, int C>
KERNEL_INLINE void sumColumns(const HeadSums& s, int column, int part) {
  V sums[H][C] = {};
  for (int n = 0; n < s.count; n++) {
    for (int h = 0; h < H; h++) {
      const float* row = s.rows + h * s.rowsStride + (size_t)n * s.width + column;
      const V factor = splat(s.factors[h * s.factorStride + n]);
      for (int c = 0; c < C; c++) {
        sums[h][c] = fma(factor, c + 1 < C ? load(row + c * LANES) : loadPart(row + c * LANES, part), sums[h][c]);
      }
    }
  }
  for (int h = 0; h < H; h++) {
    for (int c = 0; c < C; c++) storePart(s.out + h * s.outStride + column + c * LANES, sums[h][c], c + 1 < C ? LANES : part);
  }
}

template <int H>
static void sumHeads(const HeadSums& s) {
  int i = 0;
  for (; i + LANES < s.width; i += 2 * LANES) sumColumns<H, 2>(s, i, partOf(s.width, i + LANES));
  if (i < s.width) sumColumns<H, 1>(s, i, partOf(s.width, i));
}

static void sumAllHeads(HeadSums s, int heads) {
  for (; heads >= HEADS_TOGETHER; heads -= HEADS_TOGETHER) {
    sumHeads<HEADS_TOGETHER>(s);
    s.factors += HEADS_TOGETHER * s.factorStride;
    s.rows += HEADS_TOGETHER * s.rowsStride;
    s.out += HEADS_TOGETHER * s.outStride;
  }
  for (; heads > 0; heads--, s.factors += s.factorStride, s.rows += s.rowsStride, s.out += s.outStride) sumHeads<1>(s);
}

// keyRows: per head [nope × rank]. query [heads × padded(rank + rope)], scaled here so that scores need no factor of their
// own; `scaled` takes the scaled q.
static void absorbQueries(const float* keyRows, const LatentShape& s, const float* q, float* scaled, float* query) {
  const int padded = paddedTo(s.rank + s.rope);
  const int width = s.nope + s.rope;
  const float scale = (float)(1.0 / sqrt((double)width));
  for (int i = 0; i < s.heads * width; i++) scaled[i] = q[i] * scale;
  sumAllHeads({scaled, (size_t)width, keyRows, (size_t)s.nope * s.rank, s.nope, s.rank, query, (size_t)padded}, s.heads);
  for (int h = 0; h < s.heads; h++, scaled += width, query += padded) {
    memcpy(query + s.rank, scaled + s.nope, sizeof(float) * s.rope);
    for (int i = s.rank + s.rope; i < padded; i++) query[i] = 0;
  }
}

// scores[h·length + j] of H heads against `count` cached rows.
template <int H>
static void scoreRows(const float* query, int padded, const float* rows, int width, int count, float* scores, int length) {
  const int whole = width / LANES * LANES;
  int j = 0;
#if defined(__AVX512F__)
  // Four rows at a time: their sixteen sums are folded together.
  for (; H == 4 && j + 4 <= count; j += 4, rows += 4 * (size_t)width) {
    constexpr int HEAD_AT[4] = {0, 8, 4, 12};
    constexpr int ROW_AT[4] = {0, 2, 1, 3};
    V sums[16] = {};
    for (int i = 0; i < width; i += LANES) {
      for (int r = 0; r < 4; r++) {
        const float* from = rows + (size_t)r * width + i;
        const V row = i < whole ? load(from) : loadPart(from, width - i);
        for (int h = 0; h < H; h++) {
          V& sum = sums[HEAD_AT[h] + ROW_AT[r]];
          sum = fma(load(query + h * padded + i), row, sum);
        }
      }
    }
    float folded[LANES];
    store(folded, sumLanesOf16(sums));
    for (int h = 0; h < H; h++) memcpy(scores + (size_t)h * length + j, folded + 4 * h, 4 * sizeof(float));
  }
#endif
  for (; j < count; j++, rows += width) {
    V sums[H] = {};
    for (int i = 0; i < width; i += LANES) {
      const V row = i < whole ? load(rows + i) : loadPart(rows + i, width - i);
      for (int h = 0; h < H; h++) sums[h] = fma(load(query + h * padded + i), row, sums[h]);
    }
    for (int h = 0; h < H; h++) scores[(size_t)h * length + j] = sumLanes(sums[h]);
  }
}

// Exponentials above the largest value, in place; returns their sum.
static float exponentials(float* values, int count) {
  V highest = splat(-__builtin_inff());
  int i = 0;
  for (; i + LANES <= count; i += LANES) highest = larger(load(values + i), highest);
  float max = maxLanes(highest);
  for (; i < count; i++) max = values[i] > max ? values[i] : max;
  V sums = {};
  for (i = 0; i + LANES <= count; i += LANES) {
    const V e = expV(load(values + i) - splat(max));
    store(values + i, e);
    sums += e;
  }
  if (i < count) {
    // The lanes behind the last value must not count.
    float padded[LANES] = {};
    storePart(padded, expV(loadPart(values + i, count - i) - splat(max)), count - i);
    const V e = load(padded);
    storePart(values + i, e, count - i);
    sums += e;
  }
  return sumLanes(sums);
}

// mixed[h·padded + column …] = Σ_j weights[h·length + j] · latent_j[column …] / totals[h] for H heads and C vectors of the
// latent, the last of them `part` wide.
template <int H, int C>
KERNEL_INLINE void mixColumns(const LatentSegment& segment, const float* weights, const float* totals, int length, int width,
                              int column, int part, float* mixed, int padded) {
  V sums[H][C] = {};
  for (int j = 0; j < length;) {
    const float* row = segment.pages[j / segment.pageRows] + segment.offset + column;
    const int end = length - j < segment.pageRows ? length : j + segment.pageRows;
    for (; j < end; j++, row += width) {
      V latent[C];
      for (int c = 0; c < C; c++) latent[c] = c + 1 < C ? load(row + c * LANES) : loadPart(row + c * LANES, part);
      for (int h = 0; h < H; h++) {
        const V weight = splat(weights[(size_t)h * length + j]);
        for (int c = 0; c < C; c++) sums[h][c] = fma(weight, latent[c], sums[h][c]);
      }
    }
  }
  for (int h = 0; h < H; h++) {
    for (int c = 0; c < C; c++) store(mixed + h * padded + column + c * LANES, sums[h][c] / splat(totals[h]));
  }
}

template <int H>
static void attendHeads(const LatentShape& s, const LatentSegment& segment, int length, const float* query, float* scores,
                        float* mixed) {
  const int width = s.rank + s.rope;
  const int padded = paddedTo(width);
  for (int j = 0; j < length; j += segment.pageRows) {
    const int rows = length - j < segment.pageRows ? length - j : segment.pageRows;
    scoreRows<H>(query, padded, segment.pages[j / segment.pageRows] + segment.offset, width, rows, scores + j, length);
  }
  float totals[H];
  for (int h = 0; h < H; h++) totals[h] = exponentials(scores + (size_t)h * length, length);
  int i = 0;
  for (; i + LANES < s.rank; i += 2 * LANES) {
    mixColumns<H, 2>(segment, scores, totals, length, width, i, partOf(s.rank, i + LANES), mixed, padded);
  }
  if (i < s.rank) mixColumns<H, 1>(segment, scores, totals, length, width, i, partOf(s.rank, i), mixed, padded);
}

static void latentAttention(const float* keyRows, const float* valueRows, const LatentShape& s, const float* q, const LatentSegment* segments,
                            int segmentCount, float* out) {
  const int padded = paddedTo(s.rank + s.rope);
  float* query = scratch(0, (size_t)s.heads * padded);
  float* mixed = scratch(1, (size_t)s.heads * padded);
  float* scaled = scratch(3, (size_t)s.heads * (s.nope + s.rope));
  for (int n = 0; n < segmentCount; n++) {
    const LatentSegment& segment = segments[n];
    for (int r = 0; r < segment.rows; r++, q += s.heads * (s.nope + s.rope), out += s.heads * s.value) {
      const int length = segment.start + r + 1;
      float* scores = scratch(2, (size_t)HEADS_TOGETHER * length);
      absorbQueries(keyRows, s, q, scaled, query);
      int h = 0;
      for (; h + HEADS_TOGETHER <= s.heads; h += HEADS_TOGETHER) {
        attendHeads<HEADS_TOGETHER>(s, segment, length, query + h * padded, scores, mixed + h * padded);
      }
      for (; h < s.heads; h++) attendHeads<1>(s, segment, length, query + h * padded, scores, mixed + h * padded);
      // valueRows: per head [rank × value], so that neighbouring outputs lie side by side.
      const size_t rowsStride = (size_t)s.rank * s.value;
      sumAllHeads({mixed, (size_t)padded, valueRows, rowsStride, s.rank, s.value, out, (size_t)s.value}, s.heads);
    }
  }
}
