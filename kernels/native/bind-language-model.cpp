#include <algorithm>
#include <tuple>
#include <vector>

#include "arguments.h"
#include "cache-pages.h"
#include "experts-on-pool.h"
#include "latent-on-pool.h"
#include "multiply-on-pool.h"

namespace {

struct LatentHandle : Handle {
  static constexpr uint32_t TAG = 0x4c41544e;
  LatentShape shape{};
  LatentExpansion expansion;
  LatentHandle() : Handle(TAG) {}
};

// prepareLatent(expansion, heads, nope, rope, value, rank) → handle
napi_value prepareLatent(Arguments& a) {
  auto handle = std::make_unique<LatentHandle>();
  LatentShape& s = handle->shape;
  s = {a.integer(1, 1), a.integer(2, 1), a.integer(3), a.integer(4, 1), a.integer(5, 1)};
  handle->expansion = expandLatent(s, a.floats(0, static_cast<size_t>(s.heads) * (s.nope + s.value) * s.rank));
  const size_t bytes = handle->expansion.bytes;
  return a.give(std::move(handle), bytes);
}

// Fields of one segment in the Int32Array that describes all: rows, start, pages, pageRows, offset.
constexpr int SEGMENT_FIELDS = 5;

// latentAttention(handle, q, segments: Int32Array, segmentCount, pages of all segments: Float32Array[] | Uint16Array[]
// | Int8Array[], out)
napi_value latentAttention(Arguments& a) {
  const LatentHandle& handle = a.handle<LatentHandle>(0);
  const LatentShape& s = handle.shape;
  const int count = a.integer(3);
  const int32_t* fields = a.integers(2, static_cast<size_t>(count) * SEGMENT_FIELDS);
  thread_local CachePages pages;
  thread_local std::vector<LatentSegment> segments;
  segments.clear();
  size_t rows = 0;
  size_t pageCount = 0;
  for (int n = 0; n < count; n++) pageCount += std::max(0, fields[n * SEGMENT_FIELDS + 2]);
  pages.read(a, 4, pageCount);
  size_t firstPage = 0;
  for (int n = 0; n < count; n++, fields += SEGMENT_FIELDS) {
    const auto [segmentRows, start, segmentPages, pageRows, offset] =
        std::tie(fields[0], fields[1], fields[2], fields[3], fields[4]);
    if (segmentRows < 0 || start < 0 || pageRows < 1 || offset < 0 ||
        static_cast<int64_t>(segmentPages) * pageRows < static_cast<int64_t>(start) + segmentRows) {
      Arguments::fail(2, "segment without cache rows");
    }
    const size_t planeElements = static_cast<size_t>(pageRows) * rowElements(pages.type, s.rank + s.rope);
    if (segmentPages > 0 && pages.shortest < offset + planeElements) {
      Arguments::fail(4, "page too short");
    }
    segments.push_back(
        {segmentRows, start, pages.at.data() + firstPage, pageRows, static_cast<size_t>(offset), pages.type});
    firstPage += segmentPages;
    rows += segmentRows;
  }
  const float* q = a.floats(1, rows * s.heads * (s.nope + s.rope));
  float* out = a.floats(5, rows * s.heads * s.value);
  latentAttentionOnPool(*kernels, handle.expansion, s, q, segments.data(), count, out);
  return nullptr;
}

// rotary(x, rows, stride, offset, heads, headStride, frequencies, positions)
napi_value rotary(Arguments& a) {
  const int rows = a.integer(1);
  const size_t stride = a.integer(2);
  const size_t offset = a.integer(3);
  const int heads = a.integer(4);
  const size_t headStride = a.integer(5);
  const int pairs = static_cast<int>(a.length(6));
  if (rows == 0 || heads == 0) return nullptr;
  const size_t end = (rows - 1) * stride + offset + (heads - 1) * headStride + 2 * pairs;
  float* x = a.floats(0, end);
  float* turns = scratch(0, 2 * static_cast<size_t>(rows) * pairs);
  kernels->rotaryTurns(rows, pairs, a.floats(6, pairs), a.integers(7, rows), turns);
  kernels->rotate(x, rows, stride, offset, heads, headStride, pairs, turns);
  return nullptr;
}

// route(classifier handle, x, rows, selectionBias, topK, factor, indices, weights)
napi_value route(Arguments& a) {
  const Matrix& matrix = a.handle<PackedMatrix>(0).matrix;
  const int rows = a.integer(2);
  const int topK = a.integer(4, 1);
  if (topK > matrix.outputs) Arguments::fail(4, "more than there are experts");
  const float* x = a.floats(1, static_cast<size_t>(rows) * matrix.inputs);
  const float* bias = a.floats(3, matrix.outputs);
  const float factor = static_cast<float>(a.number(5));
  int32_t* indices = a.integers(6, static_cast<size_t>(rows) * topK);
  float* weights = a.floats(7, static_cast<size_t>(rows) * topK);
  float* logits = scratch(1, static_cast<size_t>(rows) * matrix.outputs);
  multiplyRows(*kernels, matrix, x, rows, logits);
  kernels->route(logits, rows, matrix.outputs, bias, topK, factor, indices, weights);
  return nullptr;
}

struct ExpertsHandle : Handle {
  static constexpr uint32_t TAG = 0x45585053;
  int hidden = 0;
  int inner = 0;
  std::vector<PackedMatrix> matrices;
  std::vector<Expert> experts;
  ExpertsHandle() : Handle(TAG) {}
};

// prepareExperts(weights: gate, up, down of each expert, count, hidden, inner, scales | null of each weight) → handle
napi_value prepareExperts(Arguments& a) {
  auto handle = std::make_unique<ExpertsHandle>();
  const int count = a.integer(1);
  const int hidden = handle->hidden = a.integer(2, 1);
  const int inner = handle->inner = a.integer(3, 1);
  size_t bytes = 0;
  auto pack = [&](int n, int outputs, int inputs) {
    napi_value weight, scales;
    if (napi_get_element(a.env(), a.at(0), n, &weight) != napi_ok ||
        napi_get_element(a.env(), a.at(4), n, &scales) != napi_ok) {
      Arguments::fail(0, "not an array");
    }
    handle->matrices.push_back(packed(a, 0, weight, outputs, inputs, scales));
    bytes += packedBytes(handle->matrices.back());
    return handle->matrices.back().matrix;
  };
  for (int e = 0; e < count; e++) {
    const Matrix gate = pack(3 * e, inner, hidden);
    const Matrix up = pack(3 * e + 1, inner, hidden);
    handle->experts.push_back({gate, up, pack(3 * e + 2, hidden, inner)});
  }
  return a.give(std::move(handle), bytes);
}

// experts(handle, x, rows, topK, indices, weights, out)
napi_value experts(Arguments& a) {
  const ExpertsHandle& handle = a.handle<ExpertsHandle>(0);
  const int rows = a.integer(2);
  const int topK = a.integer(3, 1);
  if (rows == 0) return nullptr;
  const size_t count = static_cast<size_t>(rows) * handle.hidden;
  const size_t slots = static_cast<size_t>(rows) * topK;
  const int32_t* indices = a.integers(4, slots);
  for (size_t slot = 0; slot < slots; slot++) {
    if (indices[slot] < 0) Arguments::fail(4, "negative expert");
  }
  const float* x = a.floats(1, count);
  const float* weights = a.floats(5, slots);
  float* out = a.floats(6, count);
  expertsOnPool(*kernels, handle.experts.data(), static_cast<int>(handle.experts.size()), handle.hidden, handle.inner,
                x, rows, topK, indices, weights, out);
  return nullptr;
}

// argmax(values, offset, count) → index
napi_value argmax(Arguments& a) {
  const int offset = a.integer(1);
  const int count = a.integer(2, 1);
  return toNumber(a, kernels->argmax(a.floats(0, static_cast<size_t>(offset) + count) + offset, count));
}

// penalise(logits, count, history, historyCount, factor)
napi_value penalise(Arguments& a) {
  const int count = a.integer(1);
  const int historyCount = a.integer(3);
  kernels->penalise(a.floats(0, count), count, a.integers(2, historyCount), historyCount, a.number(4));
  return nullptr;
}

}  // namespace

void bindLanguageModel(Napi::Object exports) {
  define<prepareLatent>(exports, "prepareLatent");
  define<latentAttention>(exports, "latentAttention");
  define<rotary>(exports, "rotary");
  define<route>(exports, "route");
  define<prepareExperts>(exports, "prepareExperts");
  define<experts>(exports, "experts");
  define<argmax>(exports, "argmax");
  define<penalise>(exports, "penalise");
}
