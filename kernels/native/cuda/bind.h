// What JavaScript hands over and gets back, for addon.cpp and the bindings of the components.
#pragma once
#include "../arguments.h"
#include "component.h"

namespace cuda {

// Exceptions of C++ stop here and go on as exceptions of JavaScript.
template <napi_value (*Function)(Arguments&)>
napi_value guarded(napi_env env, napi_callback_info info) {
  try {
    Arguments arguments(env, info);
    return Function(arguments);
  } catch (const DeviceError& error) {
    napi_throw_error(env, error.code(), error.what());
  } catch (const std::exception& error) {
    napi_throw_type_error(env, "native.arguments", error.what());
  }
  return nullptr;
}

template <napi_value (*Function)(Arguments&)>
void add(Napi::Object exports, const char* name) {
  napi_value function;
  if (napi_create_function(exports.Env(), name, NAPI_AUTO_LENGTH, guarded<Function>, nullptr, &function) == napi_ok) {
    exports.Set(name, Napi::Value(exports.Env(), function));
  }
}

struct HostArray {
  void* at;
  size_t bytes;
  napi_typedarray_type type;
};

inline HostArray hostArray(Arguments& a, size_t i, napi_value value) {
  static constexpr size_t SIZES[] = {1, 1, 1, 2, 2, 4, 4, 4, 8, 8, 8};
  HostArray found{};
  size_t length;
  if (napi_get_typedarray_info(a.env(), value, &found.type, &length, &found.at, nullptr, nullptr) != napi_ok)
    Arguments::fail(i, "not a typed array");
  found.bytes = length * SIZES[found.type];
  return found;
}

struct ComponentHandle : Handle {
  static constexpr uint32_t TAG = 0x43434f4d;
  std::unique_ptr<Component> component;
  explicit ComponentHandle(std::unique_ptr<Component> component) : Handle(TAG), component(std::move(component)) {}
};

// A component's memory is of the device; JavaScript's collector is not told of it.
template <class T, class... Parts>
napi_value give(Arguments& a, Parts&&... parts) {
  return a.give(std::make_unique<ComponentHandle>(std::make_unique<T>(std::forward<Parts>(parts)...)), 0);
}

// Of the first argument.
template <class T>
T& componentOf(Arguments& a) {
  T* found = dynamic_cast<T*>(a.handle<ComponentHandle>(0).component.get());
  if (!found) Arguments::fail(0, "another component's handle");
  return *found;
}

void bindAudioEncoder(Napi::Object exports);
void bindVisionEncoder(Napi::Object exports);
void bindGanDecoder(Napi::Object exports);
void bindSpeechTokenizer(Napi::Object exports);

}  // namespace cuda
