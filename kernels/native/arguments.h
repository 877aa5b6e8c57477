// Reads the arguments of a call without copying and checks what memory safety needs: types, lengths, overlap of sizes.
// What a caller may get wrong in meaning is checked in TypeScript with a better message.
#pragma once
#include <napi.h>

#include <cstdint>
#include <stdexcept>
#include <string>

#include "dispatch.h"
#include "memory.h"
#include "shared-weights.h"

// The table every binding calls; set once at load.
extern const KernelTable* kernels;

// First member of everything handed to JavaScript as a handle.
struct Handle {
  const uint32_t tag;
  explicit Handle(uint32_t kind) : tag(kind) {}
  virtual ~Handle() = default;
};

class Arguments {
 public:
  static constexpr size_t MAX = 14;

  Arguments(napi_env env, napi_callback_info info) : env_(env), count_(MAX) {
    if (napi_get_cb_info(env, info, &count_, values_, nullptr, nullptr) != napi_ok) fail(0, "unreadable call");
  }

  napi_env env() const { return env_; }
  napi_value at(size_t i) const { return values_[i]; }

  bool isNull(size_t i) const {
    napi_valuetype type;
    return napi_typeof(env_, values_[i], &type) == napi_ok && (type == napi_null || type == napi_undefined);
  }

  int integer(size_t i, int lowest = 0) const {
    int32_t value;
    if (i >= count_ || napi_get_value_int32(env_, values_[i], &value) != napi_ok) fail(i, "not an integer");
    if (value < lowest) fail(i, "too small");
    return value;
  }

  double number(size_t i) const {
    double value;
    if (i >= count_ || napi_get_value_double(env_, values_[i], &value) != napi_ok) fail(i, "not a number");
    return value;
  }

  float* floats(size_t i, size_t atLeast) const { return static_cast<float*>(array(i, napi_float32_array, atLeast)); }
  double* doubles(size_t i, size_t atLeast) const {
    return static_cast<double*>(array(i, napi_float64_array, atLeast));
  }
  int32_t* integers(size_t i, size_t atLeast) const {
    return static_cast<int32_t*>(array(i, napi_int32_array, atLeast));
  }
  uint16_t* halves(size_t i, size_t atLeast) const {
    return static_cast<uint16_t*>(array(i, napi_uint16_array, atLeast));
  }
  uint8_t* bytes(size_t i, size_t atLeast) const { return static_cast<uint8_t*>(array(i, napi_uint8_array, atLeast)); }

  size_t length(size_t i) const {
    napi_typedarray_type type;
    size_t length;
    if (i >= count_ ||
        napi_get_typedarray_info(env_, values_[i], &type, &length, nullptr, nullptr, nullptr) != napi_ok) {
      fail(i, "not a typed array");
    }
    return length;
  }

  template <class T>
  T& handle(size_t i) const {
    void* data = nullptr;
    if (i >= count_ || napi_get_value_external(env_, values_[i], &data) != napi_ok || !data ||
        static_cast<Handle*>(data)->tag != T::TAG) {
      fail(i, "not a handle of this kind");
    }
    return *static_cast<T*>(static_cast<Handle*>(data));
  }

  // Hands an object to JavaScript's garbage collector, which is told how much memory hangs on it.
  template <class T>
  napi_value give(std::unique_ptr<T> object, size_t bytes) const {
    Handle* handle = object.get();
    auto free = [](napi_env env, void* data, void* hint) {
      int64_t now;
      napi_adjust_external_memory(env, -static_cast<int64_t>(reinterpret_cast<intptr_t>(hint)), &now);
      delete static_cast<Handle*>(data);
    };
    napi_value value;
    void* hint = reinterpret_cast<void*>(static_cast<intptr_t>(bytes));
    if (napi_create_external(env_, handle, free, hint, &value) != napi_ok) throw std::runtime_error("no handle");
    object.release();
    int64_t now;
    napi_adjust_external_memory(env_, static_cast<int64_t>(bytes), &now);
    return value;
  }

  [[noreturn]] static void fail(size_t i, const char* what) {
    throw std::invalid_argument("argument " + std::to_string(i) + ": " + what);
  }

 private:
  void* array(size_t i, napi_typedarray_type wanted, size_t atLeast) const {
    napi_typedarray_type type;
    size_t length;
    void* data = nullptr;
    if (i >= count_ || napi_get_typedarray_info(env_, values_[i], &type, &length, &data, nullptr, nullptr) != napi_ok ||
        type != wanted) {
      fail(i, "not a typed array of the right kind");
    }
    if (length < atLeast) fail(i, "too short");
    return data;
  }

  napi_env env_;
  size_t count_;
  napi_value values_[MAX];
};

// Exceptions of C++ stop here and go on as exceptions of JavaScript.
template <napi_value (*Function)(Arguments&)>
napi_value bound(napi_env env, napi_callback_info info) {
  try {
    Arguments arguments(env, info);
    return Function(arguments);
  } catch (const std::exception& error) {
    napi_throw_type_error(env, "native.arguments", error.what());
    return nullptr;
  }
}

template <napi_value (*Function)(Arguments&)>
void define(Napi::Object exports, const char* name) {
  napi_value function;
  if (napi_create_function(exports.Env(), name, NAPI_AUTO_LENGTH, bound<Function>, nullptr, &function) == napi_ok) {
    exports.Set(name, Napi::Value(exports.Env(), function));
  }
}

inline napi_value elementOf(Arguments& a, size_t i, uint32_t n) {
  napi_value value;
  if (napi_get_element(a.env(), a.at(i), n, &value) != napi_ok) Arguments::fail(i, "not an array");
  return value;
}

inline napi_value toNumber(Arguments& a, double value) {
  napi_value result;
  napi_create_double(a.env(), value, &result);
  return result;
}

// Packed weights with their memory.
struct PackedMatrix : Handle {
  static constexpr uint32_t TAG = 0x4d415458;
  Matrix matrix{};
  Shared panels;
  Aligned bias;
  PackedMatrix() : Handle(TAG) {}
  PackedMatrix(PackedMatrix&& other) noexcept
      : Handle(TAG), matrix(other.matrix), panels(std::move(other.panels)), bias(std::move(other.bias)) {}

  // Packs into memory of its own, and shares it where another thread holds the same weights.
  template <class Pack>
  void fill(Pack pack) {
    const size_t bytes = kernels->matrixBytes(matrix.outputs, matrix.inputs, matrix.type);
    Aligned own = allocateAligned(bytes);
    matrix.panels = own.get();
    pack();
    panels = sharedWeights(std::move(own), bytes);
    matrix.panels = panels.get();
  }
};

// A weight [outputs × inputs] given as Float32Array, as bfloat16 in a Uint16Array, as Int8Array with `scales`
// [outputs], or as a place in a file (stored-weight.h) in a Float64Array; argument i, or an element of it.
PackedMatrix packed(const Arguments& a, size_t i, napi_value weight, int outputs, int inputs,
                    napi_value scales = nullptr);
size_t packedBytes(const PackedMatrix& packed);

void bindLinear(Napi::Object exports);
void bindRows(Napi::Object exports);
void bindLanguageModel(Napi::Object exports);
void bindVision(Napi::Object exports);
void bindAudio(Napi::Object exports);
void bindBlocks(Napi::Object exports);
void bindLatentBlock(Napi::Object exports);
void bindSignal(Napi::Object exports);
void bindLimits(Napi::Object exports);
void bindMedia(Napi::Object exports);
void bindThreads(Napi::Object exports);
void bindReceiveBuffer(Napi::Object exports);
void bindDatagrams(Napi::Object exports);
