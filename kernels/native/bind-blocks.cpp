// Runs of operations that a step of the language model makes in one call: what lies between them never reaches JavaScript.
#include <algorithm>
#include <vector>

#include "arguments.h"
#include "multiply-on-pool.h"
#include "rows-on-pool.h"

namespace {

// Behind those of the kernels.
constexpr int FIRST_SLOT = 7, SECOND_SLOT = 8;

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
  const size_t width = gate.inputs, innerWidth = gate.outputs, outWidth = down.outputs;
  rowsOnPool(rows, static_cast<double>(innerWidth) * (2 * width + outWidth), [&](int begin, int end) {
    const int some = end - begin;
    float* inner = scratch(FIRST_SLOT, some * innerWidth);
    float* factor = scratch(SECOND_SLOT, some * innerWidth);
    multiplyRows(*kernels, gate, x + begin * width, some, inner);
    multiplyRows(*kernels, up, x + begin * width, some, factor);
    kernels->swiglu(inner, factor, some * innerWidth, inner);
    multiplyRows(*kernels, down, inner, some, out + begin * outWidth);
  });
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
  rowsOnPool(rows, static_cast<double>(heads) * width * size, [&](int begin, int end) {
    const size_t some = end - begin;
    float* z = scratch(FIRST_SLOT, some * width);
    float* logits = scratch(SECOND_SLOT, some * size);
    std::copy_n(hidden + static_cast<size_t>(begin) * width, some * width, z);
    for (int h = 0; h < heads; h++) {
      multiplyRows(*kernels, handle.heads[h].matrix, z, end - begin, logits);
      for (size_t r = 0; r < some; r++) {
        const size_t place = (begin + r) * heads + h;
        float* row = logits + r * size;
        if (kept) std::copy_n(row, size, kept + place * size);
        kernels->penalise(row, size, histories + place * window, counts[place], factor);
        codes[place] = kernels->argmax(row, size);
        if (h + 1 == heads) continue;
        const float* added = static_cast<const float*>(handle.cascade[h].get()) + static_cast<size_t>(codes[place]) * width;
        kernels->residual(z + r * width, width, added, nullptr, width);
      }
    }
  });
  return nullptr;
}

}  // namespace

void bindBlocks(Napi::Object exports) {
  define<feedForward>(exports, "feedForward");
  define<prepareEmbedding>(exports, "prepareEmbedding");
  define<embed>(exports, "embed");
  define<prepareCodebookHeads>(exports, "prepareCodebookHeads");
  define<codebookHeads>(exports, "codebookHeads");
}
