// The absorbed form, one query row at a time: query into the latent space, scores over the cache, softmax, weighted
// latents, value. A cached row is read once for HEADS_TOGETHER heads. Nothing depends on how rows were grouped.
constexpr int HEADS_TOGETHER = 4;

// Lanes behind `width` are zero, so that whole vectors of a query can meet the last part of a cached row.
KERNEL_INLINE int paddedTo(int width) { return ceilDiv(width, LANES) * LANES; }

KERNEL_INLINE int partOf(int width, int i) { return width - i < LANES ? width - i : LANES; }

// query [heads × padded(rank + rope)], scaled here so that scores need no factor of their own.
static void absorbQueries(const float* expansion, const LatentShape& s, const float* q, float* query) {
  const int padded = paddedTo(s.rank + s.rope);
  const float scale = (float)(1.0 / sqrt((double)(s.nope + s.rope)));
  for (int h = 0; h < s.heads; h++, q += s.nope + s.rope, query += padded) {
    const float* rows = expansion + (size_t)h * (s.nope + s.value) * s.rank;
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
  for (int j = 0; j < count; j++, rows += width) {
    V sums[H] = {};
    for (int i = 0; i < width; i += LANES) {
      const V row = loadPart(rows + i, partOf(width, i));
      for (int h = 0; h < H; h++) sums[h] = fma(load(query + h * padded + i), row, sums[h]);
    }
    for (int h = 0; h < H; h++) scores[(size_t)h * length + j] = sumLanes(sums[h]);
  }
}

static void softmax(float* values, int count) {
  V highest = splat(-__builtin_inff());
  int i = 0;
  for (; i + LANES <= count; i += LANES) highest = larger(load(values + i), highest);
  float max = maxLanes(highest);
  for (; i < count; i++) max = values[i] > max ? values[i] : max;
  V sums = {};
  for (i = 0; i < count; i += LANES) {
    const int n = partOf(count, i);
    float padded[LANES] = {};
    storePart(padded, expV(loadPart(values + i, n) - splat(max)), n);
    const V e = load(padded);
    storePart(values + i, e, n);
    sums += e;
  }
  const V scale = splat(1.0f / sumLanes(sums));
  for (i = 0; i < count; i += LANES) {
    const int n = partOf(count, i);
    storePart(values + i, loadPart(values + i, n) * scale, n);
  }
}

// mixed[h·padded + i …] = Σ_j weights[h·length + j] · latent_j[i …] for H heads and one vector of the latent.
template <int H>
static void mixColumns(const LatentSegment& segment, const float* weights, int length, int width, int column, int part,
                       float* mixed, int padded) {
  V sums[H] = {};
  for (int j = 0; j < length;) {
    const float* row = segment.pages[j / segment.pageRows] + segment.offset + column;
    const int end = length - j < segment.pageRows ? length : j + segment.pageRows;
    for (; j < end; j++, row += width) {
      const V latent = loadPart(row, part);
      for (int h = 0; h < H; h++) sums[h] = fma(splat(weights[(size_t)h * length + j]), latent, sums[h]);
    }
  }
  for (int h = 0; h < H; h++) store(mixed + h * padded, sums[h]);
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
  for (int h = 0; h < H; h++) softmax(scores + (size_t)h * length, length);
  for (int i = 0; i < s.rank; i += LANES) {
    mixColumns<H>(segment, scores, length, width, i, partOf(s.rank, i), mixed + i, padded);
  }
}

static void expandValues(const float* expansion, const LatentShape& s, const float* mixed, float* out) {
  const int padded = paddedTo(s.rank + s.rope);
  for (int h = 0; h < s.heads; h++, mixed += padded) {
    const float* rows = expansion + ((size_t)h * (s.nope + s.value) + s.nope) * s.rank;
    for (int v = 0; v < s.value; v++, rows += s.rank) {
      V sum = {};
      for (int i = 0; i < s.rank; i += LANES) {
        const int part = partOf(s.rank, i);
        sum = fma(loadPart(mixed + i, part), loadPart(rows + i, part), sum);
      }
      *out++ = sumLanes(sum);
    }
  }
}

static void latentAttention(const float* expansion, const LatentShape& s, const float* q, const LatentSegment* segments,
                            int segmentCount, float* out) {
  const int padded = paddedTo(s.rank + s.rope);
  float* query = scratch(0, (size_t)s.heads * padded);
  float* mixed = scratch(1, (size_t)s.heads * padded);
  for (int n = 0; n < segmentCount; n++) {
    const LatentSegment& segment = segments[n];
    for (int r = 0; r < segment.rows; r++, q += s.heads * (s.nope + s.rope), out += s.heads * s.value) {
      const int length = segment.start + r + 1;
      float* scores = scratch(2, (size_t)HEADS_TOGETHER * length);
      absorbQueries(expansion, s, q, query);
      int h = 0;
      for (; h + HEADS_TOGETHER <= s.heads; h += HEADS_TOGETHER) {
        attendHeads<HEADS_TOGETHER>(s, segment, length, query + h * padded, scores, mixed + h * padded);
      }
      for (; h < s.heads; h++) attendHeads<1>(s, segment, length, query + h * padded, scores, mixed + h * padded);
      expandValues(expansion, s, mixed, out);
    }
  }
}
