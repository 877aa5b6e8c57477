// The operations by name, as kernels/<operation>/cuda.ts calls them: arrays and numbers in the order given there.
#include <cmath>

#include "call.h"

namespace cuda {

namespace {

size_t times(int a, int b) { return static_cast<size_t>(a) * static_cast<size_t>(b); }

// weight, x, bias | empty, out; outputs, inputs, rows
void callLinear(Call& c) {
  const int outputs = c.integer(0), inputs = c.integer(1), rows = c.integer(2);
  const Matrix matrix = c.matrix(0, outputs, inputs);
  linear(matrix, c.has(2) ? c.floats(2, outputs) : nullptr, c.floats(1, times(rows, inputs)), {rows}, nullptr,
         c.floats(3, times(rows, outputs)), c.stream);
}

// gate, up, down, x, out; inner, hidden, rows
void callFeedForward(Call& c) {
  const int inner = c.integer(0), hidden = c.integer(1), rows = c.integer(2);
  const Matrix gate = c.matrix(0, inner, hidden), up = c.matrix(1, inner, hidden), down = c.matrix(2, hidden, inner);
  const float* x = c.floats(3, times(rows, hidden));
  float* between = c.scratch<float>(times(rows, inner));
  if (gate.isBfloat16 == up.isBfloat16) {
    gated(gate, up, x, {rows}, between, c.stream);
  } else {
    float* above = c.scratch<float>(times(rows, inner));
    linear(gate, nullptr, x, {rows}, nullptr, between, c.stream);
    linear(up, nullptr, x, {rows}, nullptr, above, c.stream);
    swiglu(between, above, {rows}, inner, between, c.stream);
  }
  linear(down, nullptr, between, {rows}, nullptr, c.floats(4, times(rows, hidden)), c.stream);
}

// x, weight, out; rows, width, epsilon
void callRmsNorm(Call& c) {
  const int rows = c.integer(0), width = c.integer(1);
  rmsNorm(c.floats(0, times(rows, width)), c.floats(1, width), {rows}, width, c.number(2),
          c.floats(2, times(rows, width)), c.stream);
}

// gate, up, out; count
void callSwiglu(Call& c) {
  const int count = c.integer(0);
  swiglu(c.floats(0, count), c.floats(1, count), {count}, 1, c.floats(2, count), c.stream);
}

// branch, scale | empty, x; rows, width
void callResidual(Call& c) {
  const int rows = c.integer(0), width = c.integer(1);
  residual(c.floats(2, times(rows, width)), c.floats(0, times(rows, width)), c.has(1) ? c.floats(1, width) : nullptr,
           {rows}, width, c.stream);
}

// frequencies, positions, x; rows, stride, offset, heads, head stride, pairs
void callRotary(Call& c) {
  const int rows = c.integer(0);
  const RotaryLayout layout = {c.integer(1), c.integer(2), c.integer(3), c.integer(4), c.integer(5)};
  const size_t end = rows == 0 ? 0
                               : times(rows - 1, layout.stride) + layout.offset +
                                     times(layout.heads - 1, layout.headStride) + 2 * layout.pairs;
  rotary(c.floats(2, end), {rows}, layout, c.floats(0, layout.pairs), c.integers(1, rows), c.stream);
}

LatentShape latentShape(const Call& c, size_t n) {
  return {c.integer(n), c.integer(n + 1), c.integer(n + 2), c.integer(n + 3), c.integer(n + 4)};
}

// The cache of a call: `pages` all pages one after the other, `table` [sequences × pages of one].
Pages cachePages(const Call& c, size_t pages, size_t table, int pageRows, int pageNumbers, int offset,
                 int tableStride) {
  return {c.arrays[pages].at,   pageNumbers, offset, pageRows, c.arrays[pages].type == napi_uint16_array,
          c.integers(table, 1), tableStride};
}

Parts partsFor(int partRows, int longest) { return {partRows, std::max(1, ceilDivide(longest, partRows))}; }

// expansion, q, sequences, positions, table, pages, out; rows, heads, nope, rope, value, rank, page rows, numbers of a
// page, offset, stride of the table, rows of a part, longest
void callLatentAttention(Call& c) {
  const int rows = c.integer(0);
  const LatentShape shape = latentShape(c, 1);
  const Pages pages = cachePages(c, 5, 4, c.integer(6), c.integer(7), c.integer(8), c.integer(9));
  const Parts parts = partsFor(c.integer(10), c.integer(11));
  float* absorbed = c.scratch<float>(times(rows, shape.heads) * shape.cached());
  float* partial = c.scratch<float>(times(rows, shape.heads) * parts.parts * (shape.rank + 2));
  latentAttention(c.matrix(0, shape.heads * (shape.nope + shape.value), shape.rank), shape,
                  c.floats(1, times(rows, shape.heads) * shape.query()), {rows},
                  {c.integers(2, rows), c.integers(3, rows)}, pages, parts, absorbed, partial,
                  c.floats(6, times(rows, shape.heads) * shape.value), c.stream);
}

// q_a, q_b, kv_a, kv_b, o, query norm, latent norm, frequencies, x, sequences, positions, table, pages, out; rows,
// heads, nope, rope, value, rank, page rows, numbers of a page, offset, stride of the table, rows of a part, longest,
// hidden, query rank, epsilon
void callLatentBlock(Call& c) {
  const int rows = c.integer(0), hidden = c.integer(12), queryRank = c.integer(13);
  const LatentShape shape = latentShape(c, 1);
  const float epsilon = c.number(14);
  const Places places = {c.integers(9, rows), c.integers(10, rows)};
  const Pages pages = cachePages(c, 12, 11, c.integer(6), c.integer(7), c.integer(8), c.integer(9));
  const Parts parts = partsFor(c.integer(10), c.integer(11));
  const float* frequencies = c.floats(7, shape.rope / 2);
  const float* x = c.floats(8, times(rows, hidden));
  float* down = c.scratch<float>(times(rows, shape.cached()));
  float* narrow = c.scratch<float>(times(rows, queryRank));
  float* query = c.scratch<float>(times(rows, shape.heads) * shape.query());
  float* absorbed = c.scratch<float>(times(rows, shape.heads) * shape.cached());
  float* partial = c.scratch<float>(times(rows, shape.heads) * parts.parts * (shape.rank + 2));
  float* attended = c.scratch<float>(times(rows, shape.heads) * shape.value);
  linear(c.matrix(2, shape.cached(), hidden), nullptr, x, {rows}, nullptr, down, c.stream);
  storeLatents(down, c.floats(6, shape.rank), epsilon, frequencies, {rows}, shape, places, pages, c.stream);
  linear(c.matrix(0, queryRank, hidden), nullptr, x, {rows}, nullptr, narrow, c.stream);
  rmsNorm(narrow, c.floats(5, queryRank), {rows}, queryRank, epsilon, narrow, c.stream);
  linear(c.matrix(1, shape.heads * shape.query(), queryRank), nullptr, narrow, {rows}, nullptr, query, c.stream);
  rotary(query, {rows}, {shape.heads * shape.query(), shape.nope, shape.heads, shape.query(), shape.rope / 2},
         frequencies, places.positions, c.stream);
  latentAttention(c.matrix(3, shape.heads * (shape.nope + shape.value), shape.rank), shape, query, {rows}, places,
                  pages, parts, absorbed, partial, attended, c.stream);
  linear(c.matrix(4, hidden, shape.heads * shape.value), nullptr, attended, {rows}, nullptr,
         c.floats(13, times(rows, hidden)), c.stream);
}

// classifier, bias, x, indices, weights; rows, hidden, experts, topK, factor
void callRouter(Call& c) {
  const int rows = c.integer(0), hidden = c.integer(1), experts = c.integer(2), topK = c.integer(3);
  float* logits = c.scratch<float>(times(rows, experts));
  linear(c.matrix(0, experts, hidden), nullptr, c.floats(2, times(rows, hidden)), {rows}, nullptr, logits, c.stream);
  route(logits, c.floats(1, experts), {rows}, experts, topK, c.number(4), c.integers(3, times(rows, topK)),
        c.floats(4, times(rows, topK)), c.stream);
}

// gate, up, down of every expert; x, indices, weights, out; rows, hidden, inner, experts, topK
void callExperts(Call& c) {
  const int rows = c.integer(0), hidden = c.integer(1), inner = c.integer(2), count = c.integer(3), topK = c.integer(4);
  std::vector<Expert> table;
  Experts all = {nullptr, count, hidden, inner, false, false};
  for (int e = 0; e < count; e++) {
    const Matrix gate = c.matrix(3 * e, inner, hidden), up = c.matrix(3 * e + 1, inner, hidden),
                 down = c.matrix(3 * e + 2, hidden, inner);
    table.push_back({gate.values, up.values, down.values});
    if (e > 0 && (gate.isBfloat16 != all.isGateBfloat16 || down.isBfloat16 != all.isDownBfloat16))
      throw std::invalid_argument("experts of several types");
    if (gate.isBfloat16 != up.isBfloat16) throw std::invalid_argument("gate and up of two types");
    all.isGateBfloat16 = gate.isBfloat16;
    all.isDownBfloat16 = down.isBfloat16;
  }
  const size_t first = 3 * static_cast<size_t>(count), slots = times(rows, topK);
  if (slots == 0) return;
  Expert* onDevice = c.scratch<Expert>(table.size());
  if (!table.empty())
    check(cudaMemcpy(onDevice, table.data(), table.size() * sizeof(Expert), cudaMemcpyHostToDevice), "experts");
  all.table = onDevice;
  const Groups groups = {c.scratch<int>(slots), c.scratch<int>(1),
                         c.scratch<int>(3 * static_cast<size_t>(mostTiles(static_cast<int>(slots), count)))};
  const float* x = c.floats(first, times(rows, hidden));
  const int* indices = c.integers(first + 1, slots);
  groupSlots(indices, {rows}, topK, count, groups, c.stream);
  float* between = c.scratch<float>(slots * inner);
  float* answers = c.scratch<float>(slots * hidden);
  experts(all, x, {rows}, topK, indices, c.floats(first + 2, slots), groups, between, answers, nullptr,
          c.floats(first + 3, times(rows, hidden)), c.stream);
}

// tables, ids, out; rows, width, entries of every table
void callEmbedding(Call& c) {
  const int rows = c.integer(0), width = c.integer(1), count = static_cast<int>(c.numbers.size()) - 2;
  if (count > Tables::MOST) throw std::invalid_argument("too many tables");
  Tables tables{};
  tables.count = count;
  for (int t = 0; t < count; t++) {
    const Matrix table = c.matrix(t, c.integer(2 + t), width);
    tables.values[t] = table.values;
    tables.isBfloat16[t] = table.isBfloat16;
  }
  embedding(tables, width, c.integers(count, times(rows, count)), {rows}, nullptr, nullptr,
            c.floats(count + 1, times(rows, width)), c.stream);
}

// 4 heads, 3 cascade tables, hidden, histories [4 × rows × window], counts [4 × rows], factors [rows], logits | empty,
// codes [rows × 4]; rows, width, size, window
void callCodebookHeads(Call& c) {
  constexpr int COUNT = 4;
  const int rows = c.integer(0), width = c.integer(1), size = c.integer(2), window = c.integer(3);
  if (rows == 0) return;
  const int* histories = c.integers(8, times(COUNT * rows, window));
  const int* counts = c.integers(9, times(COUNT, rows));
  int* codes = c.integers(12, times(rows, COUNT));
  float* z = c.scratch<float>(times(rows, width));
  float* logits = c.scratch<float>(times(rows, size));
  check(cudaMemcpyAsync(z, c.floats(7, times(rows, width)), times(rows, width) * sizeof(float),
                        cudaMemcpyDeviceToDevice, c.stream),
        "heads");
  for (int i = 0; i < COUNT; i++) {
    linear(c.matrix(i, size, width), nullptr, z, {rows}, nullptr, logits, c.stream);
    for (int row = 0; c.has(11) && row < rows; row++) {
      float* to = c.floats(11, times(rows * COUNT, size)) + times(row * COUNT + i, size);
      check(cudaMemcpyAsync(to, logits + times(row, size), size * sizeof(float), cudaMemcpyDeviceToDevice, c.stream),
            "heads");
    }
    penalise(logits, size, size, histories + times(i * rows, window), counts + times(i, rows), window,
             c.doubles(10, rows), {rows}, c.stream);
    argmax(logits, size, size, {rows}, codes + i, COUNT, c.stream);
    if (i + 1 < COUNT) addTableRows(z, c.matrix(4 + i, size, width), codes + i, COUNT, {rows}, c.stream);
  }
}

// history, counts [1], factors [1], logits; size, window
void callPenalise(Call& c) {
  const int size = c.integer(0), window = c.integer(1);
  penalise(c.floats(3, size), size, size, c.integers(0, window), c.integers(1, 1), window, c.doubles(2, 1), {1},
           c.stream);
}

// logits, requests, out; count
void callSample(Call& c) {
  const int count = c.integer(0);
  uint64_t* order = c.scratch<uint64_t>(sortRoom(count));
  sample(c.floats(0, count), count, count, reinterpret_cast<const SamplingRow*>(c.doubles(1, 4)), {1}, order,
         c.integers(2, 1), c.stream);
}

const std::map<std::string, Operation>& all() {
  static const std::map<std::string, Operation> operations = {
      {"linear", callLinear},
      {"feedForward", callFeedForward},
      {"rmsNorm", callRmsNorm},
      {"swiglu", callSwiglu},
      {"residual", callResidual},
      {"rotary", callRotary},
      {"latentAttention", callLatentAttention},
      {"latentBlock", callLatentBlock},
      {"router", callRouter},
      {"experts", callExperts},
      {"embedding", callEmbedding},
      {"codebookHeads", callCodebookHeads},
      {"penalise", callPenalise},
      {"sampleToken", callSample},
  };
  return operations;
}

}  // namespace

Operation operationOf(const std::string& name) {
  for (const auto* operations : {&all(), &mediaOperations()}) {
    const auto found = operations->find(name);
    if (found != operations->end()) return found->second;
  }
  return nullptr;
}

Matrix Call::matrix(size_t n, int outputs, int inputs) const {
  if (n >= arrays.size()) Arguments::fail(n, "missing");
  const bool isBfloat16 = arrays[n].type == napi_uint16_array;
  if (!isBfloat16 && arrays[n].type != napi_float32_array) Arguments::fail(n, "not a weight of floats or bfloat16");
  if (arrays[n].bytes < times(outputs, inputs) * (isBfloat16 ? 2 : 4)) Arguments::fail(n, "too short");
  return {arrays[n].at, outputs, inputs, isBfloat16};
}

void* Call::array(size_t n, napi_typedarray_type type, size_t atLeast) const {
  if (n >= arrays.size() || arrays[n].type != type) Arguments::fail(n, "not an array of the right kind");
  const size_t size = type == napi_float64_array ? 8 : 4;
  if (arrays[n].bytes < atLeast * size) Arguments::fail(n, "too short");
  return arrays[n].at;
}

int Call::integer(size_t n) const {
  const double value = n < numbers.size() ? numbers[n] : -1;
  if (!(value >= 0 && value <= 0x7fffffff) || value != std::floor(value))
    throw std::invalid_argument("number " + std::to_string(n) + ": not a size");
  return static_cast<int>(value);
}

float Call::number(size_t n) const {
  if (n >= numbers.size()) throw std::invalid_argument("number " + std::to_string(n) + ": missing");
  return static_cast<float>(numbers[n]);
}

}  // namespace cuda
