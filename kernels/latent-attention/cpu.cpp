// The absorbed form: queries into the latent space, scores over the cache, softmax, weighted latents, values. A cached row is
// read once for HEADS_TOGETHER heads, an expansion once for ROWS_TOGETHER rows. Nothing depends on how rows were grouped.
constexpr int HEADS_TOGETHER = 4;
constexpr int ROWS_TOGETHER = 4;

#include "ahead.h"

// Lanes behind `width` are zero, so that whole vectors of a query can meet the last part of a cached row.
KERNEL_INLINE int paddedTo(int width) { return ceilDiv(width, LANES) * LANES; }

KERNEL_INLINE int partOf(int width, int i) { return width - i < LANES ? width - i : LANES; }

// Weighted sums of rows, several at a time: Σ_n factors[n] · rows[n·width …], each output one chain of additions over n.
struct WeightedSums {
  const float* factors;
  size_t factorStride;  // From one sum to the next, as the other strides.
  const float* rows;
  size_t rowsStride;  // 0: all sum the same rows.
  int count, width;
  float* out;
  size_t outStride;
};

// C vectors of outputs from `column` on, the last of them `part` wide, of S sums: S·C chains hide each other's latency.
template <bool SHARED, int S, int C>
KERNEL_INLINE void sumColumns(const WeightedSums& s, int column, int part) {
  V sums[S][C] = {};
  const float* row = s.rows + column;
  for (int n = 0; n < s.count; n++, row += s.width) {
    V values[C];
    for (int i = 0; i < S; i++) {
      if (i == 0 || !SHARED) {
        const float* from = row + i * s.rowsStride;
        for (int c = 0; c < C; c++) values[c] = c + 1 < C ? load(from + c * LANES) : loadPart(from + c * LANES, part);
      }
      const V factor = splat(s.factors[i * s.factorStride + n]);
      for (int c = 0; c < C; c++) sums[i][c] = fma(factor, values[c], sums[i][c]);
    }
  }
  for (int i = 0; i < S; i++) {
    for (int c = 0; c < C; c++) storePart(s.out + i * s.outStride + column + c * LANES, sums[i][c], c + 1 < C ? LANES : part);
  }
}

template <bool SHARED, int S>
static void sumTogether(const WeightedSums& s) {
  int i = 0;
  for (; i + LANES < s.width; i += 2 * LANES) sumColumns<SHARED, S, 2>(s, i, partOf(s.width, i + LANES));
  if (i < s.width) sumColumns<SHARED, S, 1>(s, i, partOf(s.width, i));
}

// One row's sums of all heads, each over rows of its own.
static void sumHeads(WeightedSums s, int heads) {
  for (; heads >= HEADS_TOGETHER; heads -= HEADS_TOGETHER) {
    sumTogether<false, HEADS_TOGETHER>(s);
    s.factors += HEADS_TOGETHER * s.factorStride;
    s.rows += HEADS_TOGETHER * s.rowsStride;
    s.out += HEADS_TOGETHER * s.outStride;
  }
  for (; heads > 0; heads--, s.factors += s.factorStride, s.rows += s.rowsStride, s.out += s.outStride) {
    sumTogether<false, 1>(s);
  }
}

// factors [rowCount × heads × factorWidth], of which the first `count` count; rows per head [count × width]; out [rowCount ×
// heads × outWidth].
static void sumAll(const float* factors, size_t factorWidth, const float* rows, int count, int width, float* out, size_t outWidth,
                   int heads, int rowCount) {
  const size_t rowsStride = (size_t)count * width;
  if (rowCount == 1) return sumHeads({factors, factorWidth, rows, rowsStride, count, width, out, outWidth}, heads);
  for (int h = 0; h < heads; h++, factors += factorWidth, rows += rowsStride, out += outWidth) {
    const WeightedSums s = {factors, heads * factorWidth, rows, 0, count, width, out, heads * outWidth};
    if (rowCount == 2) sumTogether<true, 2>(s);
    else if (rowCount == 3) sumTogether<true, 3>(s);
    else sumTogether<true, ROWS_TOGETHER>(s);
  }
}

// keyRows: per head [nope × rank]. query [rows × heads × padded(rank + rope)], scaled here so that scores need no factor of
// their own; `scaled` takes the scaled q.
static void absorbQueries(const float* keyRows, const LatentShape& s, const float* q, int rows, float* scaled, float* query) {
  const int padded = paddedTo(s.rank + s.rope);
  const int width = s.nope + s.rope;
  const float scale = (float)(1.0 / sqrt((double)width));
  for (int i = 0; i < rows * s.heads * width; i++) scaled[i] = q[i] * scale;
  sumAll(scaled, width, keyRows, s.nope, s.rank, query, padded, s.heads, rows);
  for (int h = 0; h < rows * s.heads; h++, scaled += width, query += padded) {
    memcpy(query + s.rank, scaled + s.nope, sizeof(float) * s.rope);
    for (int i = s.rank + s.rope; i < padded; i++) query[i] = 0;
  }
}

// scores[h·length + j] of H heads against `count` cached rows.
template <int H>
static void scoreRows(const float* query, int padded, const float* rows, int width, int count, float* scores, int length,
                      Ahead& ahead, int asked) {
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
    askFor(ahead, 4 * asked);
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
    askFor(ahead, asked);
    for (int h = 0; h < H; h++) scores[(size_t)h * length + j] = sumLanes(sums[h]);
  }
}

// Exponentials above the largest value, in place; returns their sum.
static float exponentials(float* values, int count) {
  V highest = splat(-__builtin_inff());
  int i = 0;
  for (; i + LANES <= count; i += LANES) highest = larger(load(values + i), highest);
  if (i < count) highest = larger(loadPart(values + i, count - i, -__builtin_inff()), highest);
  const float max = maxLanes(highest);
  V sums = {};
  for (i = 0; i + LANES <= count; i += LANES) {
    const V e = expV(load(values + i) - splat(max));
    store(values + i, e);
    sums += e;
  }
  if (i < count) {
    // The lanes behind the last value must not count.
    const V e = firstLanes(expV(loadPart(values + i, count - i) - splat(max)), count - i);
    storePart(values + i, e, count - i);
    sums += e;
  }
  return sumLanes(sums);
}

// mixed[h·padded + column …] = Σ_j weights[h·length + j] · latent_j[column …] / totals[h] for H heads and C vectors of the
// latent, the last of them `part` wide.
template <int H, int C>
KERNEL_INLINE void mixColumns(const LatentSegment& segment, const float* weights, const float* totals, int length, int width,
                              int column, int part, float* mixed, int padded, Ahead& ahead, int asked) {
  V sums[H][C] = {};
  for (int j = 0; j < length;) {
    const float* row = segment.pages[j / segment.pageRows] + segment.offset + column;
    const int end = length - j < segment.pageRows ? length : j + segment.pageRows;
    for (; j < end; j++, row += width) {
      askFor(ahead, asked);
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
                        float* mixed, Ahead& ahead, bool readBefore) {
  AskedLines asked = linesToAsk(s.rank + s.rope, readBefore);
  const int width = s.rank + s.rope;
  const int padded = paddedTo(width);
  for (int j = 0; j < length; j += segment.pageRows) {
    const int rows = length - j < segment.pageRows ? length - j : segment.pageRows;
    scoreRows<H>(query, padded, segment.pages[j / segment.pageRows] + segment.offset, width, rows, scores + j, length, ahead,
                 asked.scoring);
  }
  float totals[H];
  for (int h = 0; h < H; h++) totals[h] = exponentials(scores + (size_t)h * length, length);
  int i = 0;
#if defined(__AVX512F__)
  for (; i + 2 * LANES < s.rank; i += 3 * LANES, asked.mixing = 0) {
    mixColumns<H, 3>(segment, scores, totals, length, width, i, partOf(s.rank, i + 2 * LANES), mixed, padded, ahead, asked.mixing);
  }
#endif
  for (; i + LANES < s.rank; i += 2 * LANES, asked.mixing = 0) {
    mixColumns<H, 2>(segment, scores, totals, length, width, i, partOf(s.rank, i + LANES), mixed, padded, ahead, asked.mixing);
  }
  if (i < s.rank) {
    mixColumns<H, 1>(segment, scores, totals, length, width, i, partOf(s.rank, i), mixed, padded, ahead, asked.mixing);
  }
}

// A query row and the cache it sees.
struct QueryRow {
  const LatentSegment* segment;
  int length;
  bool isFirst;  // Of its segment.
};

static void attendRows(const float* keyRows, const float* valueRows, const LatentShape& s, const float* q, const QueryRow* rows,
                       int count, float* out, Ahead& ahead) {
  const int padded = paddedTo(s.rank + s.rope);
  float* query = scratch(0, (size_t)ROWS_TOGETHER * s.heads * padded);
  float* mixed = scratch(1, (size_t)ROWS_TOGETHER * s.heads * padded);
  float* scaled = scratch(3, (size_t)ROWS_TOGETHER * s.heads * (s.nope + s.rope));
  absorbQueries(keyRows, s, q, count, scaled, query);
  for (int r = 0; r < count; r++) {
    const int length = rows[r].length;
    float* scores = scratch(2, (size_t)HEADS_TOGETHER * length);
    const float* queries = query + (size_t)r * s.heads * padded;
    float* sums = mixed + (size_t)r * s.heads * padded;
    int h = 0;
    for (; h + HEADS_TOGETHER <= s.heads; h += HEADS_TOGETHER) {
      attendHeads<HEADS_TOGETHER>(s, *rows[r].segment, length, queries + h * padded, scores, sums + h * padded, ahead,
                                  h > 0 || !rows[r].isFirst);
    }
    for (; h < s.heads; h++) {
      attendHeads<1>(s, *rows[r].segment, length, queries + h * padded, scores, sums + h * padded, ahead,
                     h > 0 || !rows[r].isFirst);
    }
  }
  // valueRows: per head [rank × value], so that neighbouring outputs lie side by side.
  sumAll(mixed, padded, valueRows, s.rank, s.value, out, s.value, s.heads, count);
}

static void latentAttention(const float* keyRows, const float* valueRows, const LatentShape& s, const float* q, const LatentSegment* segments,
                            int segmentCount, float* out) {
  QueryRow rows[ROWS_TOGETHER];
  int count = 0;
  Ahead ahead = {segments, segments + segmentCount, s.rank + s.rope, 0, nullptr, nullptr};
  askFor(ahead, Ahead::LEAD_LINES);
  for (int n = 0; n < segmentCount; n++) {
    for (int r = 0; r < segments[n].rows; r++) {
      rows[count++] = {segments + n, segments[n].start + r + 1, r == 0};
      if (count < ROWS_TOGETHER) continue;
      attendRows(keyRows, valueRows, s, q, rows, count, out, ahead);
      q += (size_t)count * s.heads * (s.nope + s.rope);
      out += (size_t)count * s.heads * s.value;
      count = 0;
    }
  }
  if (count > 0) attendRows(keyRows, valueRows, s, q, rows, count, out, ahead);
}
