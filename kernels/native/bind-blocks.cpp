// Runs of operations that a step of the language model makes in one call: what lies between them never reaches
// JavaScript.
#include <algorithm>
#include <cstring>
#include <vector>

#include "arguments.h"
#include "multiply-on-pool.h"
#include "rows-on-pool.h"
#include "stored-weight.h"

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

struct Table {
  Shared values;
  WeightType type;
  int32_t entries;
};

struct Embedding : Handle {
  static constexpr uint32_t TAG = 0x454d4244;
  size_t width = 0;
  std::vector<Table> tables;
  Embedding() : Handle(TAG) {}
};

// A table of `entries` rows in a Float32Array, as bfloat16 in a Uint16Array, or as a place in a file in a Float64Array.
Table tableOf(napi_env env, napi_value from, size_t entries, size_t width) {
  napi_typedarray_type array;
  size_t length;
  void* data;
  if (napi_get_typedarray_info(env, from, &array, &length, &data, nullptr, nullptr) != napi_ok)
    Arguments::fail(0, "not a table");
  const bool isStored = array == napi_float64_array;
  if (isStored ? length != STORED_WEIGHT_FIELDS
               : (array != napi_float32_array && array != napi_uint16_array) || length != entries * width) {
    Arguments::fail(0, "not a table of rows");
  }
  Table table = {nullptr, array == napi_uint16_array ? WeightType::bf16 : WeightType::f32,
                 static_cast<int32_t>(entries)};
  if (isStored) table.type = typeInMemory(storedWeight(static_cast<const double*>(data)));
  const size_t bytes = entries * width * (table.type == WeightType::bf16 ? 2 : 4);
  Aligned values = allocateAligned(bytes);
  if (isStored) readStored(storedWeight(static_cast<const double*>(data)), entries, width, values.get());
  else std::memcpy(values.get(), data, bytes);
  table.values = sharedWeights(std::move(values), bytes);
  return table;
}

// prepareEmbedding(tables, width, entries: Int32Array of each table) → handle
napi_value prepareEmbedding(Arguments& a) {
  auto handle = std::make_unique<Embedding>();
  handle->width = a.integer(1, 1);
  uint32_t count;
  if (napi_get_array_length(a.env(), a.at(0), &count) != napi_ok) Arguments::fail(0, "not an array");
  const int32_t* entries = a.integers(2, count);
  size_t bytes = 0;
  for (uint32_t t = 0; t < count; t++) {
    if (entries[t] < 0) Arguments::fail(2, "negative");
    handle->tables.push_back(tableOf(a.env(), elementOf(a, 0, t), entries[t], handle->width));
    bytes += (handle->tables.back().type == WeightType::bf16 ? 2 : 4) * handle->width * entries[t];
  }
  return a.give(std::move(handle), bytes);
}

// A bfloat16 is the upper half of a float.
void widen(const uint16_t* from, size_t count, float* to) {
  for (size_t i = 0; i < count; i++) {
    const uint32_t bits = static_cast<uint32_t>(from[i]) << 16;
    std::memcpy(to + i, &bits, sizeof bits);
  }
}

// embed(handle, ids [rows × tables], rows, out)
napi_value embed(Arguments& a) {
  const Embedding& e = a.handle<Embedding>(0);
  const int rows = a.integer(2);
  const size_t tables = e.tables.size();
  const int32_t* ids = a.integers(1, rows * tables);
  float* out = a.floats(3, rows * e.width);
  for (size_t place = 0; place < rows * tables; place++) {
    if (ids[place] < -1 || ids[place] >= e.tables[place % tables].entries) Arguments::fail(1, "outside a table");
  }
  float* widened = scratch(FIRST_SLOT, e.width);
  std::fill_n(out, rows * e.width, 0.0f);
  for (int r = 0; r < rows; r++, ids += tables, out += e.width) {
    for (size_t t = 0; t < tables; t++) {
      if (ids[t] < 0) continue;
      const Table& table = e.tables[t];
      const float* row = static_cast<const float*>(table.values.get()) + ids[t] * e.width;
      if (table.type == WeightType::bf16) {
        widen(static_cast<const uint16_t*>(table.values.get()) + ids[t] * e.width, e.width, widened);
        row = widened;
      }
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
        const float* added =
            static_cast<const float*>(handle.cascade[h].get()) + static_cast<size_t>(codes[place]) * width;
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
