#include "arguments.h"

namespace {

// attention(q, k, v, rows, heads, headDim, scale, out)
napi_value attention(Arguments& a) {
  const int rows = a.integer(3);
  const int heads = a.integer(4, 1);
  const int headDim = a.integer(5, 1);
  const size_t count = static_cast<size_t>(rows) * heads * headDim;
  if (rows == 0) return nullptr;
  kernels->attention(a.floats(0, count), a.floats(1, count), a.floats(2, count), rows, heads, headDim,
                     static_cast<float>(a.number(6)), a.floats(7, count));
  return nullptr;
}

// rotary2d(x, rows, columns, heads, headDim, turns, out)
napi_value rotary2d(Arguments& a) {
  const int rows = a.integer(1);
  const int columns = a.integer(2);
  const int heads = a.integer(3);
  const int headDim = a.integer(4, 4);
  if (headDim % 4 != 0) Arguments::fail(4, "not a multiple of 4");
  const size_t count = static_cast<size_t>(rows) * columns * heads * headDim;
  const size_t positions = rows > columns ? rows : columns;
  kernels->rotary2d(a.floats(0, count), rows, columns, heads, headDim, a.floats(5, positions * (headDim / 2)),
                    a.floats(6, count));
  return nullptr;
}

}  // namespace

void bindVision(Napi::Object exports) {
  define<attention>(exports, "attention");
  define<rotary2d>(exports, "rotary2d");
}
