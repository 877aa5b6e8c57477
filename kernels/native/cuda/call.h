// One call of an operation from JavaScript: arrays are copied in, worked on, and copied out.
#pragma once
#include <map>

#include "../arguments.h"
#include "launchers.h"
#include "memory.h"

namespace cuda {

// A weight that stays on the device.
struct DeviceArray : Handle {
  static constexpr uint32_t TAG = 0x43554441;
  Memory memory;
  napi_typedarray_type type;
  DeviceArray(size_t bytes, napi_typedarray_type type) : Handle(TAG), memory(bytes), type(type) {}
};

class Call {
 public:
  explicit Call(cudaStream_t stream) : stream(stream) {}

  // Array n, of which at least so many elements must be there.
  float* floats(size_t n, size_t atLeast) const { return static_cast<float*>(array(n, napi_float32_array, atLeast)); }
  int* integers(size_t n, size_t atLeast) const { return static_cast<int*>(array(n, napi_int32_array, atLeast)); }
  double* doubles(size_t n, size_t atLeast) const {
    return static_cast<double*>(array(n, napi_float64_array, atLeast));
  }
  // Floats or bfloat16.
  Matrix matrix(size_t n, int outputs, int inputs) const;
  bool has(size_t n) const { return n < arrays.size() && arrays[n].bytes > 0; }
  int integer(size_t n) const;
  float number(size_t n) const;

  template <class T>
  T* scratch(size_t count) {
    scratch_.emplace_back(count * sizeof(T));
    return scratch_.back().as<T>();
  }

  struct Array {
    void* at;
    size_t bytes;
    napi_typedarray_type type;
  };
  std::vector<Array> arrays;
  std::vector<double> numbers;
  const cudaStream_t stream;

 private:
  void* array(size_t n, napi_typedarray_type type, size_t atLeast) const;
  std::vector<Memory> scratch_;
};

using Operation = void (*)(Call& call);
// Null where there is none of that name.
Operation operationOf(const std::string& name);
// Those of operations-media.cpp.
const std::map<std::string, Operation>& mediaOperations();

}  // namespace cuda
