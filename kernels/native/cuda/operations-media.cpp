// The operations of sound and pictures by name; as in operations.cpp.
#include <algorithm>

#include "call.h"
#include "media-launchers.h"

namespace cuda {

namespace {

size_t times(int a, int b) { return static_cast<size_t>(a) * static_cast<size_t>(b); }

template <class T>
T* copied(Call& c, const std::vector<T>& values) {
  T* to = c.scratch<T>(values.size());
  check(cudaMemcpyAsync(to, values.data(), values.size() * sizeof(T), cudaMemcpyHostToDevice, c.stream),
        "an operation");
  check(cudaStreamSynchronize(c.stream), "an operation");
  return to;
}

// x, weight, bias, out; rows, width, epsilon
void callLayerNorm(Call& c) {
  const int rows = c.integer(0), width = c.integer(1);
  layerNorm(c.floats(0, times(rows, width)), c.floats(1, width), c.floats(2, width), {rows}, width, c.number(2),
            c.floats(3, times(rows, width)), c.stream);
}

// x, out; count
template <void (*Function)(const float*, Rows, int, float*, cudaStream_t)>
void callElements(Call& c) {
  const int count = c.integer(0);
  Function(c.floats(0, count), {count}, 1, c.floats(1, count), c.stream);
}

// kernel by tap, x, g, out; rows, width, taps, dilation
void callFsmn(Call& c) {
  const int rows = c.integer(0), width = c.integer(1), taps = c.integer(2), dilation = c.integer(3);
  std::vector<int> own(rows);
  for (int row = 0; row < rows; row++) own[row] = row;
  const int* from = copied(c, own);
  fsmn(c.floats(0, times(taps, width)), {width, taps, dilation}, c.floats(1, times(rows, width)),
       c.floats(2, times(rows + (taps - 1) * dilation, width)), {from, from}, {rows}, c.floats(3, times(rows, width)),
       c.stream);
}

// turns, x; rows and columns of the grid, heads, head's width
void callRotary2d(Call& c) {
  const int rows = c.integer(0), columns = c.integer(1), heads = c.integer(2), headDim = c.integer(3);
  std::vector<int> places;
  for (int place = 0; place < rows * columns; place++) places.insert(places.end(), {place / columns, place % columns});
  const float* turns = c.floats(0, times(std::max(rows, columns), headDim / 2));
  rotary2d(c.floats(1, times(rows * columns, heads * headDim)), turns, copied(c, places), {rows * columns}, heads,
           headDim, c.stream);
}

// q, k, v, out: one unit; rows, heads, head's width, scale
void callAttention(Call& c) {
  const int rows = c.integer(0), heads = c.integer(1), headDim = c.integer(2);
  std::vector<AttentionTile> tiles;
  for (int row = 0; row < rows; row += AttentionTile::QUERIES)
    tiles.push_back({row, std::min(AttentionTile::QUERIES, rows - row), 0, rows});
  const size_t count = times(rows, heads * headDim);
  attention(c.floats(0, count), c.floats(1, count), c.floats(2, count), copied(c, tiles),
            {static_cast<int>(tiles.size())}, heads, headDim, c.number(3), c.floats(3, count), c.stream);
}

// weight, bias, x, out; inputs, outputs, kernel, bands, time stride, input rows, output rows
void callConv2d(Call& c) {
  const PlaneShape shape = {c.integer(0), c.integer(1), c.integer(2), c.integer(3), c.integer(4), 0, false};
  const int before = c.integer(5), rows = c.integer(6);
  if (rows > 0 && times(rows - 1, shape.timeStride) + shape.kernel > static_cast<size_t>(before))
    throw std::invalid_argument("windows beyond the rows");
  conv2d(c.floats(0, times(shape.outputs * shape.inputs, shape.kernel * shape.kernel)), c.floats(1, shape.outputs),
         c.floats(2, times(before, shape.inputs * shape.bands)), {rows}, shape,
         c.floats(3, times(rows, shape.outputs * (shape.bands - shape.kernel + 1))), c.stream);
}

// columns, squares, x, out; rows, entries, width
void callNearest(Call& c) {
  const int rows = c.integer(0), entries = c.integer(1), width = c.integer(2);
  nearest({c.doubles(0, times(entries, width)), c.doubles(1, entries), entries, width}, c.floats(2, times(rows, width)),
          {rows}, c.integers(3, rows), c.stream);
}

// x, alpha, out; rows, channels
void callSnake(Call& c) {
  const int rows = c.integer(0), channels = c.integer(1);
  snake(c.floats(0, times(rows, channels)), c.floats(1, channels), {rows}, channels, c.floats(2, times(rows, channels)),
        c.stream);
}

// weights by padded tap, x, bias | empty, out; outputs, channels, kernel, dilation, stride, input rows, output rows
void callConv1d(Call& c) {
  const int outputs = c.integer(0), channels = c.integer(1), kernel = c.integer(2), dilation = c.integer(3),
            stride = c.integer(4), before = c.integer(5), rows = c.integer(6);
  if (rows > 0 && times(rows - 1, stride) + times(kernel - 1, dilation) >= static_cast<size_t>(before))
    throw std::invalid_argument("windows beyond the rows");
  const Convolution convolution = {c.floats(0, times(outputs * kernel, paddedChannels(channels))),
                                   c.has(2) ? c.floats(2, outputs) : nullptr, outputs, channels, kernel};
  convolve(convolution, c.floats(1, times(before, channels)), {rows}, {stride, dilation, nullptr, 1, 0},
           c.floats(3, times(rows, outputs)), c.stream);
}

// input weight, recurrent weight, bias, x, h, c, out: one stream; rows, inputs, hidden
void callLstm(Call& c) {
  const int rows = c.integer(0), inputs = c.integer(1), hidden = c.integer(2);
  if (rows == 0) return;
  const LstmWeights weights = {c.matrix(0, 4 * hidden, inputs), c.matrix(1, 4 * hidden, hidden),
                               c.floats(2, times(4, hidden))};
  const int* slots = copied<int>(c, {0});
  const StreamRows streams = {1, nullptr, slots, copied<int>(c, {0, rows}), 1};
  const LstmTurns turns = {rows, copied(c, std::vector<int>(rows, 1))};
  const LstmWork work = {c.scratch<float>(hidden), c.scratch<float>(times(rows, 4 * hidden)),
                         c.scratch<float>(times(4, hidden))};
  lstm(weights, c.floats(3, times(rows, inputs)), {rows}, {c.floats(4, hidden), c.floats(5, hidden), 0}, streams, turns,
       work, c.floats(6, times(rows, hidden)), c.stream);
}

}  // namespace

const std::map<std::string, Operation>& mediaOperations() {
  static const std::map<std::string, Operation> operations = {
      {"layerNorm", callLayerNorm},
      {"snake", callSnake},
      {"conv1d", callConv1d},
      {"lstm", callLstm},
      {"conv2d", callConv2d},
      {"vectorQuantizer", callNearest},
      {"relu6", callElements<relu6>},
      {"gelu", callElements<gelu>},
      {"fsmn", callFsmn},
      {"rotary2d", callRotary2d},
      {"attention", callAttention},
  };
  return operations;
}

}  // namespace cuda
