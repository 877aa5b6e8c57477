// The absorbed form, one query row at a time: query into the latent space, scores over the cache, softmax, weighted
// latents, value. A cached row is read once for HEADS_TOGETHER heads. Nothing depends on how rows were grouped.
constexpr int HEADS_TOGETHER = 4;

// Lanes behind `width` are zero, so that whole vectors of a query can meet the last part of a cached row.
KERNEL_INLINE int paddedTo(int width) { return ceilDiv(width, LANES) * LANES; }

KERNEL_INLINE int partOf(int width, int i) { return width - i < LANES ? width - i : LANES; }

// keyRows: per head [nope × rank]. query [heads × padded(rank + rope)], scaled here so that scores need no factor of their own.
static void absorbQueries(const float* keyRows, const LatentShape& s, const float* q, float* query) {
  const int padded = paddedTo(s.rank + s.rope);
  const float scale = (float)(1.0 / sqrt((double)(s.nope + s.rope)));
  for (int h = 0; h < s.heads; h++, q += s.nope + s.rope, query += padded) {
    const float* rows = keyRows + (size_t)h * s.nope * s.rank;
    for (int i = 0; i < s.rank; i += LANES) {
      const int part = partOf(s.rank, i);
      V sum = {};
      for (int n = 0; n < s.nope; n++) sum = fma(splat(q[n] * scale), loadPart(rows + (size_t)n * s.rank + i, part), sum);
      storePart(query + i, sum, part);
    }
    for (int i = 0; i < s.rope; i++) query[s.rank + i] = q[s.nope + i] * scale;
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

// mixed[h·padded + i …] = Σ_j weights[h·length + j] · latent_j[i …] / totals[h] for H heads and one vector of the latent.
template <int H>
static void mixColumns(const LatentSegment& segment, const float* weights, const float* totals, int length, int width,
                       int column, int part, float* mixed, int padded) {
  V sums[H] = {};
  for (int j = 0; j < length;) {
    const float* row = segment.pages[j / segment.pageRows] + segment.offset + column;
    const int end = length - j < segment.pageRows ? length : j + segment.pageRows;
    for (; j < end; j++, row += width) {
      const V latent = loadPart(row, part);
      for (int h = 0; h < H; h++) sums[h] = fma(splat(weights[(size_t)h * length + j]), latent, sums[h]);
    }
  }
  for (int h = 0; h < H; h++) store(mixed + h * padded, sums[h] / splat(totals[h]));
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
  for (int i = 0; i < s.rank; i += LANES) {
    mixColumns<H>(segment, scores, totals, length, width, i, partOf(s.rank, i), mixed + i, padded);
  }
}

// valueRows: per head [rank × value], so that neighbouring outputs lie side by side.
static void expandValues(const float* valueRows, const LatentShape& s, const float* mixed, float* out) {
  const int padded = paddedTo(s.rank + s.rope);
  for (int h = 0; h < s.heads; h++, mixed += padded, valueRows += (size_t)s.rank * s.value, out += s.value) {
    for (int v = 0; v < s.value; v += LANES) {
      const int part = partOf(s.value, v);
      V sum = {};
      for (int i = 0; i < s.rank; i++) sum = fma(splat(mixed[i]), loadPart(valueRows + (size_t)i * s.value + v, part), sum);
      storePart(out + v, sum, part);
    }
  }
}

static void latentAttention(const float* keyRows, const float* valueRows, const LatentShape& s, const float* q, const LatentSegment* segments,
                            int segmentCount, float* out) {
  const int padded = paddedTo(s.rank + s.rope);
  float* query = scratch(0, (size_t)s.heads * padded);
  float* mixed = scratch(1, (size_t)s.heads * padded);
  for (int n = 0; n < segmentCount; n++) {
    const LatentSegment& segment = segments[n];
    for (int r = 0; r < segment.rows; r++, q += s.heads * (s.nope + s.rope), out += s.heads * s.value) {
      const int length = segment.start + r + 1;
      float* scores = scratch(2, (size_t)HEADS_TOGETHER * length);
      absorbQueries(keyRows, s, q, query);
      int h = 0;
      for (; h + HEADS_TOGETHER <= s.heads; h += HEADS_TOGETHER) {
        attendHeads<HEADS_TOGETHER>(s, segment, length, query + h * padded, scores, mixed + h * padded);
      }
      for (; h < s.heads; h++) attendHeads<1>(s, segment, length, query + h * padded, scores, mixed + h * padded);
      expandValues(valueRows, s, mixed, out);
    }
  }
}
