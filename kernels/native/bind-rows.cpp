#include "arguments.h"

namespace {

// rmsNorm(x, rows, weight, width, epsilon, out)
napi_value rmsNorm(Arguments& a) {
  const int rows = a.integer(1);
  const int width = a.integer(3, 1);
  const size_t count = static_cast<size_t>(rows) * width;
  const float epsilon = static_cast<float>(a.number(4));
  kernels->rmsNorm(a.floats(0, count), rows, width, a.floats(2, width), epsilon, a.floats(5, count));
  return nullptr;
}

// layerNorm(x, rows, weight, bias, width, epsilon, out)
napi_value layerNorm(Arguments& a) {
  const int rows = a.integer(1);
  const int width = a.integer(4, 1);
  const size_t count = static_cast<size_t>(rows) * width;
  const float epsilon = static_cast<float>(a.number(5));
  kernels->layerNorm(a.floats(0, count), rows, width, a.floats(2, width), a.floats(3, width), epsilon,
                     a.floats(6, count));
  return nullptr;
}

// swiglu(gate, up, count, out)
napi_value swiglu(Arguments& a) {
  const size_t count = a.integer(2);
  kernels->swiglu(a.floats(0, count), a.floats(1, count), count, a.floats(3, count));
  return nullptr;
}

// gelu(x, count, out)
napi_value gelu(Arguments& a) {
  const size_t count = a.integer(1);
  kernels->gelu(a.floats(0, count), count, a.floats(2, count));
  return nullptr;
}

// relu6(x, count, out)
napi_value relu6(Arguments& a) {
  const size_t count = a.integer(1);
  kernels->relu6(a.floats(0, count), count, a.floats(2, count));
  return nullptr;
}

// snake(x, rows, alpha, channels, out)
napi_value snake(Arguments& a) {
  const int rows = a.integer(1);
  const int channels = a.integer(3, 1);
  const size_t count = static_cast<size_t>(rows) * channels;
  kernels->snake(a.floats(0, count), rows, channels, a.floats(2, channels), a.floats(4, count));
  return nullptr;
}

// residual(x, count, branch, scale | null, width)
napi_value residual(Arguments& a) {
  const int count = a.integer(1);
  const int width = a.integer(4);
  const float* scale = a.isNull(3) ? nullptr : a.floats(3, width);
  if (scale && (width < 1 || count % width != 0)) Arguments::fail(4, "does not divide the rows");
  kernels->residual(a.floats(0, count), count, a.floats(2, count), scale, width);
  return nullptr;
}

}  // namespace

void bindRows(Napi::Object exports) {
  define<rmsNorm>(exports, "rmsNorm");
  define<layerNorm>(exports, "layerNorm");
  define<swiglu>(exports, "swiglu");
  define<gelu>(exports, "gelu");
  define<relu6>(exports, "relu6");
  define<snake>(exports, "snake");
  define<residual>(exports, "residual");
}
