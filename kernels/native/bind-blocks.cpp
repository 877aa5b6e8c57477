// Runs of operations that a step of the language model makes in one call: what lies between them never reaches JavaScript.
#include <algorithm>
#include <cstring>
#include <vector>

#include "arguments.h"
#include "latent-expansion.h"
#include "multiply-on-pool.h"

namespace {

// Behind those of the kernels.
constexpr int FIRST_SLOT = 7, SECOND_SLOT = 8, THIRD_SLOT = 9;

void multiplyRows(const Matrix& matrix, const float* x, int rows, float* out) {
  multiplyOnPool(*kernels, matrix, {x, static_cast<size_t>(matrix.inputs), 1, 0, matrix.inputs}, rows, out);
}

napi_value elementOf(Arguments& a, size_t i, uint32_t n) {
  napi_value value;
  if (napi_get_element(a.env(), a.at(i), n, &value) != napi_ok) Arguments::fail(i, "not an array");
  return value;
}

Aligned copyOf(const float* values, size_t count) {
  Aligned copy = allocateAligned(sizeof(float) * count);
  std::copy_n(values, count, static_cast<float*>(copy.get()));
  return copy;
}

// feedForward(gate, up, down, x, rows, out)
napi_value feedForward(Arguments& a) {
  const Matrix& gate = a.handle<PackedMatrix>(0).matrix;
  const Matrix& up = a.handle<PackedMatrix>(1).matrix;
  const Matrix& down = a.handle<PackedMatrix>(2).matrix;
  if (up.inputs != gate.inputs || up.outputs != gate.outputs || down.inputs != gate.outputs) {
    Arguments::fail(1, "of another width");
  }
  const int rows = a.integer(4);
  const float* x = a.floats(3, static_cast<size_t>(rows) * gate.inputs);
  float* out = a.floats(5, static_cast<size_t>(rows) * down.outputs);
  const size_t count = static_cast<size_t>(rows) * gate.outputs;
  float* inner = scratch(FIRST_SLOT, count);
  float* factor = scratch(SECOND_SLOT, count);
  multiplyRows(gate, x, rows, inner);
  multiplyRows(up, x, rows, factor);
  kernels->swiglu(inner, factor, count, inner);
  multiplyRows(down, inner, rows, out);
  return nullptr;
}

// Where the rows of a step lie in the cache; the caller keeps the pages alive. Angles belong to the positions and are
// made anew for other rows or other frequencies.
struct CacheRows : Handle {
  static constexpr uint32_t TAG = 0x43524f57;
  std::vector<float*> pages;
  std::vector<LatentSegment> segments;
  std::vector<int32_t> positions;
  size_t pageFloats = 0;  // Of the shortest page.
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

// describeCacheRows(handle, segments: Int32Array, segmentCount, pageRows, pages: Float32Array[] of all segments)
napi_value describeCacheRows(Arguments& a) {
  CacheRows& c = a.handle<CacheRows>(0);
  const int count = a.integer(2);
  const int32_t* fields = a.integers(1, static_cast<size_t>(count) * SEGMENT_FIELDS);
  const int pageRows = a.integer(3, 1);
  c.pages.clear();
  c.segments.clear();
  c.positions.clear();
  c.turns.clear();
  c.pageFloats = SIZE_MAX;
  size_t pageCount = 0;
  for (int n = 0; n < count; n++) pageCount += std::max(0, fields[n * SEGMENT_FIELDS + 2]);
  for (size_t p = 0; p < pageCount; p++) {
    napi_typedarray_type type;
    size_t length;
    void* data;
    if (napi_get_typedarray_info(a.env(), elementOf(a, 4, p), &type, &length, &data, nullptr, nullptr) != napi_ok ||
        type != napi_float32_array) {
      Arguments::fail(4, "not a page");
    }
    c.pages.push_back(static_cast<float*>(data));
    c.pageFloats = std::min(c.pageFloats, length);
  }
  size_t firstPage = 0;
  for (int n = 0; n < count; n++, fields += SEGMENT_FIELDS) {
    const int32_t rows = fields[0], start = fields[1], pages = fields[2];
    if (rows < 0 || start < 0 || pages < 0 ||
        static_cast<int64_t>(pages) * pageRows < static_cast<int64_t>(start) + rows) {
      c.segments.clear();
      c.positions.clear();
      Arguments::fail(1, "segment without cache rows");
    }
    c.segments.push_back({rows, start, c.pages.data() + firstPage, pageRows, 0});
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
  const int shapes[4][2] = {{queryRank, hidden}, {s.heads * (s.nope + s.rope), queryRank}, {s.rank + s.rope, hidden},
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

// The rows' latents and keys into the cache.
void cacheRows(const LatentBlock& block, const CacheRows& c, const float* x, const float* turns) {
  const LatentShape& s = block.shape;
  const int rows = static_cast<int>(c.positions.size());
  const size_t width = s.rank + s.rope;
  float* down = scratch(FIRST_SLOT, rows * width);
  multiplyRows(block.matrices[2].matrix, x, rows, down);
  kernels->rotate(down, rows, width, s.rank, 1, s.rope, s.rope / 2, turns);
  const float* norm = static_cast<const float*>(block.latentNorm.get());
  for (const LatentSegment& segment : c.segments) {
    for (int r = 0; r < segment.rows; r++, down += width) {
      const int position = segment.start + r;
      // Attention only reads the pages; here they are what CacheRows::pages holds.
      float* page = const_cast<float*>(segment.pages[position / segment.pageRows]);
      float* to = page + segment.offset + (position % segment.pageRows) * width;
      kernels->rmsNorm(down, 1, s.rank, norm, block.epsilon, to);
      std::copy_n(down + s.rank, s.rope, to + s.rank);
    }
  }
}

// latentBlock(block, cacheRows, offset, x, out)
napi_value latentBlock(Arguments& a) {
  const LatentBlock& block = a.handle<LatentBlock>(0);
  CacheRows& c = a.handle<CacheRows>(1);
  const size_t offset = a.integer(2);
  const LatentShape& s = block.shape;
  const Matrix& queryDown = block.matrices[0].matrix;
  const Matrix& queryUp = block.matrices[1].matrix;
  const Matrix& output = block.matrices[3].matrix;
  const int rows = static_cast<int>(c.positions.size());
  const float* x = a.floats(3, static_cast<size_t>(rows) * queryDown.inputs);
  float* out = a.floats(4, static_cast<size_t>(rows) * output.outputs);
  if (rows == 0) return nullptr;
  if (c.pageFloats < offset + static_cast<size_t>(c.segments[0].pageRows) * (s.rank + s.rope)) {
    Arguments::fail(2, "behind the end of a page");
  }
  for (LatentSegment& segment : c.segments) segment.offset = offset;
  const float* turns = c.turnsOf(block.frequencies);
  cacheRows(block, c, x, turns);

  const int headStride = s.nope + s.rope;
  float* narrow = scratch(FIRST_SLOT, static_cast<size_t>(rows) * queryDown.outputs);
  float* q = scratch(SECOND_SLOT, static_cast<size_t>(rows) * queryUp.outputs);
  float* attended = scratch(THIRD_SLOT, static_cast<size_t>(rows) * output.inputs);
  multiplyRows(queryDown, x, rows, narrow);
  kernels->rmsNorm(narrow, rows, queryDown.outputs, static_cast<const float*>(block.queryNorm.get()), block.epsilon, narrow);
  multiplyRows(queryUp, narrow, rows, q);
  kernels->rotate(q, rows, queryUp.outputs, s.nope, s.heads, headStride, s.rope / 2, turns);
  kernels->latentAttention(block.expansion.key(), block.expansion.value(), s, q, c.segments.data(),
                           static_cast<int>(c.segments.size()), attended);
  multiplyRows(output, attended, rows, out);
  return nullptr;
}

struct Embedding : Handle {
  static constexpr uint32_t TAG = 0x454d4244;
  size_t width = 0;
  std::vector<Aligned> tables;
  std::vector<int32_t> entries;
  Embedding() : Handle(TAG) {}
};

// prepareEmbedding(tables: Float32Array[], width) → handle
napi_value prepareEmbedding(Arguments& a) {
  auto handle = std::make_unique<Embedding>();
  handle->width = a.integer(1, 1);
  uint32_t count;
  if (napi_get_array_length(a.env(), a.at(0), &count) != napi_ok) Arguments::fail(0, "not an array");
  size_t bytes = 0;
  for (uint32_t t = 0; t < count; t++) {
    napi_typedarray_type type;
    size_t length;
    void* data;
    if (napi_get_typedarray_info(a.env(), elementOf(a, 0, t), &type, &length, &data, nullptr, nullptr) != napi_ok ||
        type != napi_float32_array || length % handle->width != 0) {
      Arguments::fail(0, "not a table of rows");
    }
    handle->tables.push_back(copyOf(static_cast<const float*>(data), length));
    handle->entries.push_back(static_cast<int32_t>(length / handle->width));
    bytes += sizeof(float) * length;
  }
  return a.give(std::move(handle), bytes);
}

// embed(handle, ids [rows × tables], rows, out)
napi_value embed(Arguments& a) {
  const Embedding& e = a.handle<Embedding>(0);
  const int rows = a.integer(2);
  const size_t tables = e.tables.size();
  const int32_t* ids = a.integers(1, rows * tables);
  float* out = a.floats(3, rows * e.width);
  for (size_t place = 0; place < rows * tables; place++) {
    if (ids[place] < -1 || ids[place] >= e.entries[place % tables]) Arguments::fail(1, "outside a table");
  }
  std::fill_n(out, rows * e.width, 0.0f);
  for (int r = 0; r < rows; r++, ids += tables, out += e.width) {
    for (size_t t = 0; t < tables; t++) {
      if (ids[t] < 0) continue;
      const float* row = static_cast<const float*>(e.tables[t].get()) + ids[t] * e.width;
      kernels->residual(out, e.width, row, nullptr, static_cast<int>(e.width));
    }
  }
  return nullptr;
}

struct CodebookHeads : Handle {
  static constexpr uint32_t TAG = 0x43484541;
  std::vector<PackedMatrix> heads;
  std::vector<Aligned> cascade;
  CodebookHeads() : Handle(TAG) {}
};

// prepareCodebookHeads(heads[n], scales[n], cascade[n − 1], n, codes, width) → handle
napi_value prepareCodebookHeads(Arguments& a) {
  auto handle = std::make_unique<CodebookHeads>();
  const int count = a.integer(3, 1), codes = a.integer(4, 1), width = a.integer(5, 1);
  const size_t tableSize = static_cast<size_t>(codes) * width;
  size_t bytes = 0;
  for (int h = 0; h < count; h++) {
    handle->heads.push_back(packed(a, 0, elementOf(a, 0, h), codes, width, elementOf(a, 1, h)));
    bytes += packedBytes(handle->heads.back()) + sizeof(float) * tableSize;
    if (h + 1 == count) break;
    napi_typedarray_type type;
    size_t length;
    void* data;
    if (napi_get_typedarray_info(a.env(), elementOf(a, 2, h), &type, &length, &data, nullptr, nullptr) != napi_ok ||
        type != napi_float32_array || length != tableSize) {
      Arguments::fail(2, "not a table of the codes");
    }
    handle->cascade.push_back(copyOf(static_cast<const float*>(data), tableSize));
  }
  return a.give(std::move(handle), bytes);
}

// codebookHeads(handle, hidden, rows, histories [rows × heads × window], counts [rows × heads], window, factor, codes
// [rows × heads], logits [rows × heads × codes] | null)
napi_value codebookHeads(Arguments& a) {
  const CodebookHeads& handle = a.handle<CodebookHeads>(0);
  const int heads = static_cast<int>(handle.heads.size());
  const int width = handle.heads[0].matrix.inputs, size = handle.heads[0].matrix.outputs;
  const int rows = a.integer(2), window = a.integer(5);
  const size_t places = static_cast<size_t>(rows) * heads;
  const float* hidden = a.floats(1, static_cast<size_t>(rows) * width);
  const int32_t* histories = a.integers(3, places * window);
  const int32_t* counts = a.integers(4, places);
  const double factor = a.number(6);
  int32_t* codes = a.integers(7, places);
  float* kept = a.isNull(8) ? nullptr : a.floats(8, places * size);
  for (size_t n = 0; n < places; n++) {
    if (counts[n] < 0 || counts[n] > window) Arguments::fail(4, "longer than the window");
  }
  float* z = scratch(FIRST_SLOT, static_cast<size_t>(rows) * width);
  float* logits = scratch(SECOND_SLOT, static_cast<size_t>(rows) * size);
  std::copy_n(hidden, static_cast<size_t>(rows) * width, z);
  for (int h = 0; h < heads; h++) {
    multiplyRows(handle.heads[h].matrix, z, rows, logits);
    for (int r = 0; r < rows; r++) {
      const size_t place = static_cast<size_t>(r) * heads + h;
      float* row = logits + static_cast<size_t>(r) * size;
      if (kept) std::copy_n(row, size, kept + place * size);
      kernels->penalise(row, size, histories + place * window, counts[place], factor);
      codes[place] = kernels->argmax(row, size);
      if (h + 1 == heads) continue;
      const float* added = static_cast<const float*>(handle.cascade[h].get()) + static_cast<size_t>(codes[place]) * width;
      kernels->residual(z + static_cast<size_t>(r) * width, width, added, nullptr, width);
    }
  }
  return nullptr;
}

}  // namespace

void bindBlocks(Napi::Object exports) {
  define<feedForward>(exports, "feedForward");
  define<createCacheRows>(exports, "createCacheRows");
  define<describeCacheRows>(exports, "describeCacheRows");
  define<prepareLatentBlock>(exports, "prepareLatentBlock");
  define<latentBlock>(exports, "latentBlock");
  define<prepareEmbedding>(exports, "prepareEmbedding");
  define<embed>(exports, "embed");
  define<prepareCodebookHeads>(exports, "prepareCodebookHeads");
  define<codebookHeads>(exports, "codebookHeads");
}
