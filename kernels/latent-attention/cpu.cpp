// The absorbed form: queries into the latent space, scores over the cache, softmax, weighted latents, values. The cache
// is gone through once, in blocks of rows that are widened for all heads and all query rows that see them; the softmax
// runs along (its maximum, its sum and the weighted latents are carried from block to block). Blocks begin at multiples
// of BLOCK_ROWS of the sequence, so that nothing depends on how rows, heads or threads were grouped.
constexpr int HEADS_TOGETHER = 4;
constexpr int ROWS_TOGETHER = 4;
constexpr int BLOCK_ROWS = 64;

#include "ahead.h"

// Lanes behind `width` are zero, so that whole vectors of a query can meet the last part of a cached row.
KERNEL_INLINE int paddedTo(int width) { return ceilDiv(width, LANES) * LANES; }

KERNEL_INLINE int partOf(int width, int i) { return width - i < LANES ? width - i : LANES; }

static int latentWidth(const LatentShape& s) { return paddedTo(s.rank + s.rope); }

// Weighted sums of rows, several at a time: Σ_n factors[n] · rows[n·width …], each output one chain of additions over
// n.
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
    for (int c = 0; c < C; c++)
      storePart(s.out + i * s.outStride + column + c * LANES, sums[i][c], c + 1 < C ? LANES : part);
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

// Some heads of several rows; neighbouring rows of factors and outputs lie their strides apart.
struct HeadRows {
  int heads, rows;
  size_t factorStride, outStride;
};

// Per head `factorWidth` factors, of which the first `count` count, rows [count × width], and outputs `outWidth` apart.
static void sumAll(const float* factors, size_t factorWidth, const float* rows, int count, int width, float* out,
                   size_t outWidth, const HeadRows& of) {
  const size_t rowsStride = (size_t)count * width;
  for (int first = 0; first < of.rows; first += ROWS_TOGETHER) {
    const int some = of.rows - first < ROWS_TOGETHER ? of.rows - first : ROWS_TOGETHER;
    const float* from = factors + first * of.factorStride;
    float* to = out + first * of.outStride;
    if (some == 1) {
      sumHeads({from, factorWidth, rows, rowsStride, count, width, to, outWidth}, of.heads);
      continue;
    }
    const float* own = rows;
    for (int h = 0; h < of.heads; h++, from += factorWidth, own += rowsStride, to += outWidth) {
      const WeightedSums s = {from, of.factorStride, own, 0, count, width, to, of.outStride};
      if (some == 2) sumTogether<true, 2>(s);
      else if (some == 3) sumTogether<true, 3>(s);
      else sumTogether<true, ROWS_TOGETHER>(s);
    }
  }
}

// Heads firstHead … endHead − 1 of all rows. keyRows: per head [nope × rank]. queries [rows × heads × latentWidth],
// scaled here so that scores need no factor of their own.
static void latentQueries(const float* keyRows, const LatentShape& s, const float* q, int rows, int firstHead,
                          int endHead, float* queries) {
  const int padded = latentWidth(s), width = s.nope + s.rope, heads = endHead - firstHead;
  const float scale = (float)(1.0 / sqrt((double)width));
  float* scaled = scratch(3, (size_t)rows * heads * width);
  for (int r = 0; r < rows; r++) {
    const float* from = q + ((size_t)r * s.heads + firstHead) * width;
    float* to = scaled + (size_t)r * heads * width;
    for (int i = 0; i < heads * width; i++) to[i] = from[i] * scale;
  }
  const size_t outStride = (size_t)s.heads * padded;
  float* out = queries + (size_t)firstHead * padded;
  sumAll(scaled, width, keyRows + (size_t)firstHead * s.nope * s.rank, s.nope, s.rank, out, padded,
         {heads, rows, (size_t)heads * width, outStride});
  for (int r = 0; r < rows; r++) {
    float* query = out + r * outStride;
    for (int h = 0; h < heads; h++, scaled += width, query += padded) {
      memcpy(query + s.rank, scaled + s.nope, sizeof(float) * s.rope);
      for (int i = s.rank + s.rope; i < padded; i++) query[i] = 0;
    }
  }
}

// valueRows: per head [rank × value], so that neighbouring outputs lie side by side. out [rows × heads × value].
static void latentValues(const float* valueRows, const LatentShape& s, const float* mixed, int rows, int firstHead,
                         int endHead, float* out) {
  const size_t padded = latentWidth(s);
  sumAll(mixed + firstHead * padded, padded, valueRows + (size_t)firstHead * s.rank * s.value, s.rank, s.value,
         out + (size_t)firstHead * s.value, s.value,
         {endHead - firstHead, rows, s.heads * padded, (size_t)s.heads * s.value});
}

static void widenInt8(const int8_t* from, int count, float scale, float* to) {
  int i = 0;
  for (; i + LANES <= count; i += LANES) store(to + i, load(from + i) * splat(scale));
  for (; i < count; i++) to[i] = from[i] * scale;
}

// Rows first … first + count − 1 as floats, `padded` apart with zeros behind each; so are rows up to a multiple of
// four.
static void widenRows(const LatentSegment& segment, const LatentShape& s, int padded, int first, int count, float* to) {
  const int width = s.rank + s.rope;
  const int whole = width / LANES * LANES;
  for (int r = 0; r < count; r++, to += padded) {
    const char* row = cachedRow(segment, width, first + r);
    if (segment.type == CacheType::int8) {
      float scales[2];
      memcpy(scales, row + width, sizeof scales);
      widenInt8((const int8_t*)row, s.rank, scales[0], to);
      widenInt8((const int8_t*)row + s.rank, s.rope, scales[1], to + s.rank);
    } else if (segment.type == CacheType::bf16) {
      const uint16_t* from = (const uint16_t*)row;
      for (int i = 0; i < whole; i += LANES) store(to + i, load(from + i));
      for (int i = whole; i < width; i++) {
        const uint32_t bits = (uint32_t)from[i] << 16;
        memcpy(to + i, &bits, sizeof bits);
      }
    } else {
      const float* from = (const float*)row;
      for (int i = 0; i < whole; i += LANES) store(to + i, load(from + i));
      for (int i = whole; i < width; i++) to[i] = from[i];
    }
    for (int i = width; i < padded; i++) to[i] = 0;
  }
  memset(to, 0, sizeof(float) * padded * ((4 - count % 4) % 4));
}

// scores[h·BLOCK_ROWS + j] of H heads against `count` rows of a block.
template <int H>
static void scoreRows(const float* query, int padded, const float* rows, int count, float* scores) {
#if defined(__AVX512F__)
  if constexpr (H == 4) {
    // Four rows at a time: their sixteen sums are folded together.
    constexpr int HEAD_AT[4] = {0, 8, 4, 12};
    constexpr int ROW_AT[4] = {0, 2, 1, 3};
    for (int j = 0; j < count; j += 4, rows += 4 * (size_t)padded) {
      V sums[16] = {};
      for (int i = 0; i < padded; i += LANES) {
        for (int r = 0; r < 4; r++) {
          const V row = load(rows + (size_t)r * padded + i);
          for (int h = 0; h < H; h++) {
            V& sum = sums[HEAD_AT[h] + ROW_AT[r]];
            sum = fma(load(query + h * padded + i), row, sum);
          }
        }
      }
      float folded[LANES];
      store(folded, sumLanesOf16(sums));
      for (int h = 0; h < H; h++) memcpy(scores + h * BLOCK_ROWS + j, folded + 4 * h, 4 * sizeof(float));
    }
    return;
  }
#endif
  for (int j = 0; j < count; j++, rows += padded) {
    V sums[H] = {};
    for (int i = 0; i < padded; i += LANES) {
      const V row = load(rows + i);
      for (int h = 0; h < H; h++) sums[h] = fma(load(query + h * padded + i), row, sums[h]);
    }
    for (int h = 0; h < H; h++) scores[h * BLOCK_ROWS + j] = sumLanes(sums[h]);
  }
}

static float largest(const float* values, int count) {
  V highest = splat(-__builtin_inff());
  int i = 0;
  for (; i + LANES <= count; i += LANES) highest = larger(load(values + i), highest);
  if (i < count) highest = larger(loadPart(values + i, count - i, -__builtin_inff()), highest);
  return maxLanes(highest);
}

// e^(value − max), in place; returns their sum.
static float exponentialsAbove(float max, float* values, int count) {
  V sums = {};
  int i = 0;
  for (; i + LANES <= count; i += LANES) {
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

static float exponentials(float* values, int count) { return exponentialsAbove(largest(values, count), values, count); }

// What the softmax of one head of one row carries along.
struct Carried {
  float highest, total;
};

// The scores of a block become weights above the highest of all scores so far; returns what the sums of the earlier
// blocks are to be multiplied by.
static float weighScores(float* scores, int count, Carried& carried) {
  const float before = carried.highest, here = largest(scores, count);
  const float max = here > before ? here : before;
  const float sum = exponentialsAbove(max, scores, count);
  const float factor = max == before ? 1.0f : expV(splat(before - max))[0];
  carried.highest = max;
  carried.total = carried.total * factor + sum;
  return factor;
}

// mixed[h·padded + column …] = factors[h] · itself + Σ_j weights[h·BLOCK_ROWS + j] · row_j[column …] for H heads and C
// vectors.
template <int H, int C>
KERNEL_INLINE void mixColumns(const float* rows, int padded, int count, const float* weights, const float* factors,
                              int column, float* mixed) {
  V sums[H][C];
  for (int h = 0; h < H; h++) {
    for (int c = 0; c < C; c++) sums[h][c] = load(mixed + h * padded + column + c * LANES) * splat(factors[h]);
  }
  const float* row = rows + column;
  for (int j = 0; j < count; j++, row += padded) {
    V latent[C];
    for (int c = 0; c < C; c++) latent[c] = load(row + c * LANES);
    for (int h = 0; h < H; h++) {
      const V weight = splat(weights[h * BLOCK_ROWS + j]);
      for (int c = 0; c < C; c++) sums[h][c] = fma(weight, latent[c], sums[h][c]);
    }
  }
  for (int h = 0; h < H; h++) {
    for (int c = 0; c < C; c++) store(mixed + h * padded + column + c * LANES, sums[h][c]);
  }
}

// H heads of one row over one block.
template <int H>
static void attendBlock(const float* rows, int rank, int padded, int count, const float* query, Carried* carried,
                        float* mixed) {
  float scores[H * BLOCK_ROWS];
  float factors[H];
  scoreRows<H>(query, padded, rows, count, scores);
  for (int h = 0; h < H; h++) factors[h] = weighScores(scores + h * BLOCK_ROWS, count, carried[h]);
  int i = 0;
#if defined(__AVX512F__)
  for (; i + 4 * LANES < rank; i += 5 * LANES) mixColumns<H, 5>(rows, padded, count, scores, factors, i, mixed);
  for (; i + 2 * LANES < rank; i += 3 * LANES) mixColumns<H, 3>(rows, padded, count, scores, factors, i, mixed);
#endif
  for (; i + LANES < rank; i += 2 * LANES) mixColumns<H, 2>(rows, padded, count, scores, factors, i, mixed);
  if (i < rank) mixColumns<H, 1>(rows, padded, count, scores, factors, i, mixed);
}

// Heads firstHead … endHead − 1 of the groups' rows: the latents of the rows before each and of itself, weighted by the
// softmax of its scores. queries, mixed [rows × heads × latentWidth], where a group's rows lie.
static void latentMix(const LatentShape& s, const QueryRows* groups, int groupCount, int firstHead, int endHead,
                      const float* queries, float* mixed) {
  const int width = s.rank + s.rope, padded = latentWidth(s), heads = endHead - firstHead;
  const size_t rowStride = (size_t)s.heads * padded;
  float* block = scratch(0, (size_t)BLOCK_ROWS * padded);
  for (const QueryRows* group = groups; group < groups + groupCount; group++) {
    const LatentSegment& segment = *group->segment;
    const size_t firstLine = group->at * rowStride + (size_t)firstHead * padded;
    Carried* carried = (Carried*)scratch(1, 2 * (size_t)group->rows * heads);
    for (int n = 0; n < group->rows * heads; n++) carried[n] = {-__builtin_inff(), 0};
    for (int r = 0; r < group->rows; r++) memset(mixed + firstLine + r * rowStride, 0, sizeof(float) * heads * padded);
    const int shortest = segment.start + group->first + 1, longest = shortest + group->rows - 1;
    const int steps = group->rows * ceilDiv(heads, HEADS_TOGETHER);
    for (int j = 0; j < longest; j += BLOCK_ROWS) {
      const int there = longest - j < BLOCK_ROWS ? longest - j : BLOCK_ROWS;
      widenRows(segment, s, padded, j, there, block);
      const int next = j + BLOCK_ROWS, after = longest - next < BLOCK_ROWS ? longest : next + BLOCK_ROWS;
      const QueryRows* following = group + 1 < groups + groupCount ? group + 1 : group;
      const int seen = following->segment->start + following->first + 1;
      Ahead ahead = next < longest ? aheadOf(&segment, width, next, after)
                                   : aheadOf(following->segment, width, 0, seen < BLOCK_ROWS ? seen : BLOCK_ROWS);
      const int asked = ceilDiv(linesOf(ahead), steps);
      for (int r = 0; r < group->rows; r++) {
        const int left = shortest + r - j, count = left < there ? left : there;
        if (count <= 0) continue;
        const float* query = queries + firstLine + r * rowStride;
        float* sums = mixed + firstLine + r * rowStride;
        Carried* own = carried + (size_t)r * heads;
        int h = 0;
        for (; h + HEADS_TOGETHER <= heads; h += HEADS_TOGETHER) {
          askFor(ahead, asked);
          attendBlock<HEADS_TOGETHER>(block, s.rank, padded, count, query + h * padded, own + h, sums + h * padded);
        }
        for (; h < heads; h++)
          attendBlock<1>(block, s.rank, padded, count, query + h * padded, own + h, sums + h * padded);
      }
    }
    for (int n = 0; n < group->rows * heads; n++) {
      float* sums = mixed + firstLine + n / heads * rowStride + (size_t)(n % heads) * padded;
      const V total = splat(carried[n].total);
      for (int i = 0; i < s.rank; i += LANES) store(sums + i, load(sums + i) / total);
    }
  }
}
