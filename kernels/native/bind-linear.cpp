#include <cstring>

#include "arguments.h"
#include "multiply-on-pool.h"
#include "stored-weight.h"

namespace {

// The element type of weights by the kind of their array.
WeightType weightType(size_t i, napi_typedarray_type type) {
  switch (type) {
    case napi_float32_array: return WeightType::f32;
    case napi_uint16_array: return WeightType::bf16;
    case napi_int8_array: return WeightType::int8;
    default: Arguments::fail(i, "not an array of weights");
  }
}

const float* scalesOf(const Arguments& a, size_t i, napi_value scales, size_t outputs) {
  napi_typedarray_type type;
  size_t length;
  void* data = nullptr;
  if (!scales || napi_get_typedarray_info(a.env(), scales, &type, &length, &data, nullptr, nullptr) != napi_ok ||
      type != napi_float32_array || length != outputs) {
    Arguments::fail(i, "int8 weights without a scale per output");
  }
  return static_cast<const float*>(data);
}

}  // namespace

PackedMatrix packed(const Arguments& a, size_t i, napi_value weight, int outputs, int inputs, napi_value scales) {
  const size_t count = static_cast<size_t>(outputs) * inputs;
  napi_typedarray_type array;
  size_t length;
  void* data = nullptr;
  if (napi_get_typedarray_info(a.env(), weight, &array, &length, &data, nullptr, nullptr) != napi_ok) {
    Arguments::fail(i, "not an array of weights");
  }
  if (array == napi_float64_array) {
    if (length != STORED_WEIGHT_FIELDS) Arguments::fail(i, "not a stored weight");
    const StoredWeight stored = storedWeight(static_cast<const double*>(data));
    PackedMatrix result;
    result.matrix = {outputs, inputs, typeInMemory(stored), nullptr, nullptr};
    result.fill([&] { packStored(*kernels, stored, result.matrix); });
    return result;
  }
  if (length != count) Arguments::fail(i, "not of the weight's size");
  const WeightType type = weightType(i, array);
  const bool isInt8 = type == WeightType::int8;
  if (isInt8 && inputs > MAX_INT8_INPUTS) Arguments::fail(i, "too many inputs for int8");
  const float* scale = isInt8 ? scalesOf(a, i, scales, outputs) : nullptr;
  PackedMatrix result;
  result.matrix = {outputs, inputs, type, nullptr, nullptr};
  result.fill([&] { kernels->packMatrix(data, scale, result.matrix); });
  return result;
}

size_t packedBytes(const PackedMatrix& packed) {
  return kernels->matrixBytes(packed.matrix.outputs, packed.matrix.inputs, packed.matrix.type);
}

namespace {

// packMatrix(weight, bias | null, outputs, inputs, scales | null) → handle
napi_value packMatrix(Arguments& a) {
  const int outputs = a.integer(2, 1);
  auto handle = std::make_unique<PackedMatrix>(packed(a, 0, a.at(0), outputs, a.integer(3, 1), a.at(4)));
  if (!a.isNull(1)) {
    handle->bias = allocateAligned(sizeof(float) * outputs);
    std::memcpy(handle->bias.get(), a.floats(1, outputs), sizeof(float) * outputs);
    handle->matrix.bias = static_cast<const float*>(handle->bias.get());
  }
  const size_t bytes = packedBytes(*handle);
  return a.give(std::move(handle), bytes);
}

// multiply(handle, x, rows, out)
napi_value multiply(Arguments& a) {
  const Matrix& matrix = a.handle<PackedMatrix>(0).matrix;
  const int rows = a.integer(2);
  const size_t inputs = matrix.inputs;
  const float* x = a.floats(1, rows * inputs);
  float* out = a.floats(3, static_cast<size_t>(rows) * matrix.outputs);
  const Windows windows = {x, inputs, 1, 0, matrix.inputs};
  multiplyOnPool(*kernels, matrix, windows, rows, out);
  return nullptr;
}

// convolve(handle, x, outputRows, taps, dilation, stride, out): x is [≥ (outputRows − 1)·stride + span × inputs per
// tap].
napi_value convolve(Arguments& a) {
  const Matrix& matrix = a.handle<PackedMatrix>(0).matrix;
  const int rows = a.integer(2);
  const int taps = a.integer(3, 1);
  const size_t dilation = a.integer(4, 1);
  const size_t stride = a.integer(5, 1);
  if (matrix.type == WeightType::int8) Arguments::fail(0, "a convolution has no int8 weights");
  if (matrix.inputs % taps != 0) Arguments::fail(3, "does not divide the window");
  const size_t width = matrix.inputs / taps;
  const size_t span = (taps - 1) * dilation + 1;
  const float* x = a.floats(1, rows == 0 ? 0 : ((rows - 1) * stride + span) * width);
  float* out = a.floats(6, static_cast<size_t>(rows) * matrix.outputs);
  const Windows windows = {x, stride * width, taps, dilation * width, static_cast<int>(width)};
  multiplyOnPool(*kernels, matrix, windows, rows, out);
  return nullptr;
}

}  // namespace

void bindLinear(Napi::Object exports) {
  define<packMatrix>(exports, "packMatrix");
  define<multiply>(exports, "multiply");
  define<convolve>(exports, "convolve");
}
