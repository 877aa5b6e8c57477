#include "arguments.h"

namespace {

// fsmn(kernel [taps × width], width, taps, dilation, x, g, rows, out)
napi_value fsmn(Arguments& a) {
  const int width = a.integer(1, 1);
  const int taps = a.integer(2, 1);
  const int dilation = a.integer(3, 1);
  const int rows = a.integer(6);
  const size_t count = static_cast<size_t>(rows) * width;
  const size_t context = rows == 0 ? 0 : static_cast<size_t>(rows + (taps - 1) * dilation) * width;
  kernels->fsmn(a.floats(0, static_cast<size_t>(taps) * width), width, taps, dilation, a.floats(4, count),
                a.floats(5, context), rows, a.floats(7, count));
  return nullptr;
}

// lstm(input handle, recurrent handle, x, rows, h, c, out)
napi_value lstm(Arguments& a) {
  const Matrix& input = a.handle<PackedMatrix>(0).matrix;
  const Matrix& recurrent = a.handle<PackedMatrix>(1).matrix;
  const int hidden = recurrent.inputs;
  if (recurrent.outputs != 4 * hidden || input.outputs != 4 * hidden) Arguments::fail(1, "not four gates");
  const int rows = a.integer(3);
  kernels->lstm(input, recurrent, hidden, a.floats(2, static_cast<size_t>(rows) * input.inputs), rows,
                a.floats(4, hidden), a.floats(5, hidden), a.floats(6, static_cast<size_t>(rows) * hidden));
  return nullptr;
}

}  // namespace

void bindAudio(Napi::Object exports) {
  define<fsmn>(exports, "fsmn");
  define<lstm>(exports, "lstm");
}
