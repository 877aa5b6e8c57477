#include "arguments.h"

const KernelTable* kernels = nullptr;

namespace {

// Raised with every change of what JavaScript calls; addon.ts wants the same number.
constexpr int INTERFACE = 4;

Napi::Object init(Napi::Env env, Napi::Object exports) {
  // The first thread to load decides; threads of one process never mix levels, which round differently.
  if (!kernels) kernels = pickLevel(std::getenv("LONGCAT_RT_ISA"));
  int count = 0;
  const Level* all = levels(&count);
  Napi::Array names = Napi::Array::New(env);
  for (int i = 0; i < count; i++) {
    if (all[i].supported) names.Set(names.Length(), Napi::String::New(env, all[i].table->name));
  }
  exports.Set("interface", Napi::Number::New(env, INTERFACE));
  exports.Set("levels", names);
  exports.Set("level", kernels ? Napi::Value(Napi::String::New(env, kernels->name)) : env.Null());
  if (!kernels) return exports;
  exports.Set("lanes", Napi::Number::New(env, kernels->lanes));
  bindLinear(exports);
  bindRows(exports);
  bindLanguageModel(exports);
  bindBlocks(exports);
  bindLatentBlock(exports);
  bindVision(exports);
  bindAudio(exports);
  bindSignal(exports);
  bindLimits(exports);
  bindMedia(exports);
  bindThreads(exports);
  bindReceiveBuffer(exports);
  bindDatagrams(exports);
  return exports;
}

}  // namespace

NODE_API_MODULE(longcat_kernels, init)
