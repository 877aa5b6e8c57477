// An attention of the language model in one call, over rows that lie in the caches of their sequences.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "arguments.h"
#include "cache-pages.h"
#include "latent-on-pool.h"
#include "multiply-on-pool.h"
#include "rows-on-pool.h"

namespace {

// Behind those of the kernels.
constexpr int FIRST_SLOT = 7, SECOND_SLOT = 8, THIRD_SLOT = 9;

// Where the rows of a step lie in the cache; the caller keeps the pages alive. Angles belong to the positions and are
// made anew for other rows or other frequencies.
struct CacheRows : Handle {
  static constexpr uint32_t TAG = 0x43524f57;
  CachePages pages;
  std::vector<LatentSegment> segments;
  std::vector<int32_t> positions;
  std::vector<float> frequencies, turns;
  CacheRows() : Handle(TAG) {}

  const float* turnsOf(const std::vector<float>& wanted) {
    if (turns.empty() || wanted != frequencies) {
      frequencies = wanted;
      turns.resize(2 * positions.size() * wanted.size());
      kernels->rotaryTurns(static_cast<int>(positions.size()), static_cast<int>(wanted.size()), wanted.data(),
                           positions.data(), turns.data());
    }
    return turns.data();
  }
};

napi_value createCacheRows(Arguments& a) { return a.give(std::make_unique<CacheRows>(), sizeof(CacheRows)); }

// Fields of one segment: rows, start, pages.
constexpr int SEGMENT_FIELDS = 3;

// describeCacheRows(handle, segments: Int32Array, segmentCount, pageRows, pages of all segments: Float32Array[] |
// Uint16Array[] | Int8Array[])
napi_value describeCacheRows(Arguments& a) {
  CacheRows& c = a.handle<CacheRows>(0);
  const int count = a.integer(2);
  const int32_t* fields = a.integers(1, static_cast<size_t>(count) * SEGMENT_FIELDS);
  const int pageRows = a.integer(3, 1);
  c.segments.clear();
  c.positions.clear();
  c.turns.clear();
  size_t pageCount = 0;
  for (int n = 0; n < count; n++) pageCount += std::max(0, fields[n * SEGMENT_FIELDS + 2]);
  c.pages.read(a, 4, pageCount);
  size_t firstPage = 0;
  for (int n = 0; n < count; n++, fields += SEGMENT_FIELDS) {
    const int32_t rows = fields[0], start = fields[1], pages = fields[2];
    if (rows < 0 || start < 0 || pages < 0 ||
        static_cast<int64_t>(pages) * pageRows < static_cast<int64_t>(start) + rows) {
      c.segments.clear();
      c.positions.clear();
      Arguments::fail(1, "segment without cache rows");
    }
    c.segments.push_back({rows, start, c.pages.at.data() + firstPage, pageRows, 0, c.pages.type});
    for (int r = 0; r < rows; r++) c.positions.push_back(start + r);
    firstPage += pages;
  }
  return nullptr;
}

struct LatentBlock : Handle {
  static constexpr uint32_t TAG = 0x4c424c4b;
  LatentShape shape{};
  std::vector<PackedMatrix> matrices;  // Query down, query up, latent down, output.
  Aligned queryNorm, latentNorm;
  LatentExpansion expansion;
  std::vector<float> frequencies;
  float epsilon = 0;
  LatentBlock() : Handle(TAG) {}
};

// prepareLatentBlock([hidden, queryRank, heads, nope, rope, value, rank], weights[4], scales[4], expansion, queryNorm,
// latentNorm, frequencies, epsilon) → handle
napi_value prepareLatentBlock(Arguments& a) {
  auto block = std::make_unique<LatentBlock>();
  const int32_t* d = a.integers(0, 7);
  for (int i = 0; i < 7; i++) {
    if (d[i] < (i == 3 ? 0 : 1)) Arguments::fail(0, "too small");
  }
  const int hidden = d[0], queryRank = d[1];
  const LatentShape& s = block->shape = {d[2], d[3], d[4], d[5], d[6]};
  const int shapes[4][2] = {{queryRank, hidden},
                            {s.heads * (s.nope + s.rope), queryRank},
                            {s.rank + s.rope, hidden},
                            {hidden, s.heads * s.value}};
  size_t bytes = 0;
  for (int m = 0; m < 4; m++) {
    block->matrices.push_back(packed(a, 1, elementOf(a, 1, m), shapes[m][0], shapes[m][1], elementOf(a, 2, m)));
    bytes += packedBytes(block->matrices.back());
  }
  block->expansion = expandLatent(s, a.floats(3, static_cast<size_t>(s.heads) * (s.nope + s.value) * s.rank));
  block->queryNorm = copyOf(a.floats(4, queryRank), queryRank);
  block->latentNorm = copyOf(a.floats(5, s.rank), s.rank);
  const float* frequencies = a.floats(6, s.rope / 2);
  block->frequencies.assign(frequencies, frequencies + s.rope / 2);
  block->epsilon = static_cast<float>(a.number(7));
  return a.give(std::move(block), bytes);
}

// Rows of a step that go through a block together, and the segments they lie in.
struct BlockRows {
  LatentSegment* segments;
  int segmentCount, rows;
  const float *x, *turns;
  float* out;
};

// Nearest, ties to even.
uint16_t toBfloat16(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  if ((bits & 0x7fffffff) > 0x7f800000) return static_cast<uint16_t>(bits >> 16 | 0x40);
  return static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

// See latent-attention/int8-rows.ts: what is next to nothing is zero, what is not finite has a scale that is no number.
float toInt8(const float* from, int count, int8_t* to) {
  float largest = 0, sum = 0;
  for (int i = 0; i < count; i++) {
    largest = std::max(largest, std::abs(from[i]));
    sum += from[i] * 0;
  }
  if (largest < 1e-30f) largest = 0;
  const float inverse = largest > 0 && sum == 0 ? 127 / largest : 0;
  for (int i = 0; i < count; i++) to[i] = inverse == 0 ? 0 : static_cast<int8_t>(std::lrint(from[i] * inverse));
  return largest / 127 + sum;
}

void toInt8(const float* row, int rank, int rope, int8_t* to) {
  const float scales[2] = {toInt8(row, rank, to), toInt8(row + rank, rope, to + rank)};
  std::memcpy(to + rank + rope, scales, sizeof scales);
}

// The rows' latents and keys into the cache.
void cacheRows(const LatentBlock& block, const BlockRows& b) {
  const LatentShape& s = block.shape;
  const size_t width = s.rank + s.rope;
  float* down = scratch(FIRST_SLOT, b.rows * width);
  multiplyRows(*kernels, block.matrices[2].matrix, b.x, b.rows, down);
  kernels->rotate(down, b.rows, width, s.rank, 1, s.rope, s.rope / 2, b.turns);
  const float* norm = static_cast<const float*>(block.latentNorm.get());
  for (int n = 0; n < b.segmentCount; n++) {
    const LatentSegment& segment = b.segments[n];
    for (int r = 0; r < segment.rows; r++, down += width) {
      const int position = segment.start + r;
      // Attention only reads the pages; here they are what CacheRows::pages holds.
      void* page = const_cast<void*>(segment.pages[position / segment.pageRows]);
      const size_t at = segment.offset + (position % segment.pageRows) * rowElements(segment.type, width);
      kernels->rmsNorm(down, 1, s.rank, norm, block.epsilon, down);
      if (segment.type == CacheType::f32) std::copy_n(down, width, static_cast<float*>(page) + at);
      else if (segment.type == CacheType::int8) toInt8(down, s.rank, s.rope, static_cast<int8_t*>(page) + at);
      else std::transform(down, down + width, static_cast<uint16_t*>(page) + at, toBfloat16);
    }
  }
}

void attend(const LatentBlock& block, const BlockRows& b) {
  const LatentShape& s = block.shape;
  const Matrix& queryDown = block.matrices[0].matrix;
  const Matrix& queryUp = block.matrices[1].matrix;
  const Matrix& output = block.matrices[3].matrix;
  cacheRows(block, b);
  float* narrow = scratch(FIRST_SLOT, static_cast<size_t>(b.rows) * queryDown.outputs);
  float* q = scratch(SECOND_SLOT, static_cast<size_t>(b.rows) * queryUp.outputs);
  float* attended = scratch(THIRD_SLOT, static_cast<size_t>(b.rows) * output.inputs);
  multiplyRows(*kernels, queryDown, b.x, b.rows, narrow);
  kernels->rmsNorm(narrow, b.rows, queryDown.outputs, static_cast<const float*>(block.queryNorm.get()), block.epsilon,
                   narrow);
  multiplyRows(*kernels, queryUp, narrow, b.rows, q);
  kernels->rotate(q, b.rows, queryUp.outputs, s.nope, s.heads, s.nope + s.rope, s.rope / 2, b.turns);
  latentAttentionOnPool(*kernels, block.expansion, s, q, b.segments, b.segmentCount, attended);
  multiplyRows(*kernels, output, attended, b.rows, b.out);
}

// Of one row behind `cached` others.
double multiplyAdds(const LatentBlock& block, double cached) {
  const LatentShape& s = block.shape;
  double sum = cached * s.heads * (2 * s.rank + s.rope);
  for (const PackedMatrix& each : block.matrices) sum += static_cast<double>(each.matrix.inputs) * each.matrix.outputs;
  return sum;
}

// latentBlock(block, cacheRows, offset, x, out)
napi_value latentBlock(Arguments& a) {
  const LatentBlock& block = a.handle<LatentBlock>(0);
  CacheRows& c = a.handle<CacheRows>(1);
  const size_t offset = a.integer(2);
  const LatentShape& s = block.shape;
  const size_t width = block.matrices[0].matrix.inputs, outWidth = block.matrices[3].matrix.outputs;
  const int rows = static_cast<int>(c.positions.size());
  const float* x = a.floats(3, rows * width);
  float* out = a.floats(4, rows * outWidth);
  if (rows == 0) return nullptr;
  const size_t elements = rowElements(c.pages.type, s.rank + s.rope);
  if (c.pages.shortest < offset + static_cast<size_t>(c.segments[0].pageRows) * elements) {
    Arguments::fail(2, "behind the end of a page");
  }
  for (LatentSegment& segment : c.segments) segment.offset = offset;
  const float* turns = c.turnsOf(block.frequencies);
  const int segmentCount = static_cast<int>(c.segments.size());
  if (segmentCount < rows) {
    attend(block, {c.segments.data(), segmentCount, rows, x, turns, out});
    return nullptr;
  }
  // A row each: no row sees what another of this step caches.
  rowsOnPool(rows, multiplyAdds(block, c.segments[0].start), [&](int begin, int end) {
    attend(block, {c.segments.data() + begin, end - begin, end - begin, x + begin * width, turns + begin * s.rope,
                   out + begin * outWidth});
  });
  return nullptr;
}

}  // namespace

void bindLatentBlock(Napi::Object exports) {
  define<createCacheRows>(exports, "createCacheRows");
  define<describeCacheRows>(exports, "describeCacheRows");
  define<prepareLatentBlock>(exports, "prepareLatentBlock");
  define<latentBlock>(exports, "latentBlock");
}
