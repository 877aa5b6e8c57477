// The second library, opened on demand (native/cuda/device.ts): what JavaScript sees of the device.
#include "bind.h"
#include "call.h"
#include "language-model.h"

using namespace cuda;

#if defined(CUDA_EMULATION)
namespace emulation {
void seedOrder(uint64_t seed);
}
#endif

namespace {

// Of native/cuda/device.ts, which wants the same number.
constexpr int INTERFACE = 4;

uint32_t lengthOf(Arguments& a, size_t i) {
  uint32_t length;
  if (napi_get_array_length(a.env(), a.at(i), &length) != napi_ok) Arguments::fail(i, "not an array");
  return length;
}

// device() → { name, memoryBytes, freeBytes }; throws where there is none
napi_value device(Arguments& a) {
  int count = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  if (error != cudaSuccess || count == 0)
    throw DeviceError("cuda.no-device", error == cudaSuccess ? "no device" : cudaGetErrorString(error));
  cudaDeviceProp properties;
  check(cudaGetDeviceProperties(&properties, 0), "the device");
  size_t free = 0, total = 0;
  check(cudaMemGetInfo(&free, &total), "the device's memory");
  Napi::Object result = Napi::Object::New(a.env());
  result.Set("name", std::string(properties.name));
  result.Set("capability", static_cast<double>(properties.major * 10 + properties.minor));
  result.Set("memoryBytes", static_cast<double>(total));
  result.Set("freeBytes", static_cast<double>(free));
  return result;
}

// upload(array) → handle
napi_value upload(Arguments& a) {
  const HostArray from = hostArray(a, 0, a.at(0));
  auto array = std::make_unique<DeviceArray>(from.bytes, from.type);
  if (from.bytes > 0)
    check(cudaMemcpy(array->memory.as<void>(), from.at, from.bytes, cudaMemcpyHostToDevice), "a weight");
  return a.give(std::move(array), 0);
}

struct Copied {
  Memory memory;
  HostArray host;
};

// run(name, inputs, in place, outputs, numbers): arrays of typed arrays; inputs may be handles
napi_value run(Arguments& a) {
  const std::string name = Napi::Value(a.env(), a.at(0)).ToString();
  const Operation operation = operationOf(name);
  if (!operation) Arguments::fail(0, "no operation of that name");
  static thread_local Stream stream;
  Call call(stream);
  std::vector<Copied> copied;
  constexpr size_t INPUTS = 1, IN_PLACE = 2, OUTPUTS = 3;
  for (const size_t kind : {INPUTS, IN_PLACE, OUTPUTS}) {
    for (uint32_t n = 0; n < lengthOf(a, kind); n++) {
      const napi_value value = elementOf(a, kind, n);
      void* external = nullptr;
      if (kind == INPUTS && napi_get_value_external(a.env(), value, &external) == napi_ok &&
          static_cast<Handle*>(external)->tag == DeviceArray::TAG) {
        const auto* array = static_cast<DeviceArray*>(static_cast<Handle*>(external));
        call.arrays.push_back({array->memory.as<void>(), array->memory.bytes(), array->type});
        continue;
      }
      const HostArray host = hostArray(a, kind, value);
      Copied own = {Memory(host.bytes), host};
      if (kind != OUTPUTS && host.bytes > 0) {
        check(cudaMemcpyAsync(own.memory.as<void>(), host.at, host.bytes, cudaMemcpyHostToDevice, stream),
              "copying in");
      }
      call.arrays.push_back({own.memory.as<void>(), host.bytes, host.type});
      if (kind == INPUTS) own.host.bytes = 0;  // Nothing comes back.
      copied.push_back(std::move(own));
    }
  }
  const double* numbers = a.doubles(4, 0);
  call.numbers.assign(numbers, numbers + a.length(4));
  operation(call);
  check(cudaGetLastError(), name.c_str());
  for (const Copied& own : copied) {
    if (own.host.bytes > 0)
      check(cudaMemcpyAsync(own.host.at, own.memory.as<void>(), own.host.bytes, cudaMemcpyDeviceToHost, stream),
            "copying out");
  }
  check(cudaStreamSynchronize(stream), name.c_str());
  return nullptr;
}

// createLanguageModel(sizes: Int32Array, numbers: Float64Array) → handle; the order is that of
// native/cuda/model-weights.ts
napi_value createLanguageModel(Arguments& a) {
  constexpr size_t SIZES = 24, NUMBERS = 5;
  const int* s = a.integers(0, SIZES);
  const double* n = a.doubles(1, NUMBERS);
  ModelShape shape{};
  shape.layers = s[0];
  shape.hidden = s[1];
  shape.queryRank = s[2];
  shape.ffn = s[3];
  shape.expertFfn = s[4];
  shape.routedExperts = s[5];
  shape.identityExperts = s[6];
  shape.topK = s[7];
  shape.vocabSize = s[8];
  shape.codeVocabSize = s[9];
  shape.wait = s[10];
  shape.latent = {s[11], s[12], s[13], s[14], s[15]};
  const ModelLimits limits = {s[16], s[17], s[18], s[19], s[20], {s[21], s[22]}, s[23] != 0};
  shape.routingFactor = static_cast<float>(n[0]);
  shape.normEpsilon = static_cast<float>(n[1]);
  shape.latentNormEpsilon = static_cast<float>(n[2]);
  shape.codePenalty = n[3];
  return give<LanguageModel>(a, shape, limits, static_cast<size_t>(n[4]));
}

// loadWeight(component, array of floats or bfloat16)
napi_value loadWeight(Arguments& a) {
  const HostArray from = hostArray(a, 1, a.at(1));
  const bool isBfloat16 = from.type == napi_uint16_array;
  if (!isBfloat16 && from.type != napi_float32_array) Arguments::fail(1, "not a weight of floats or bfloat16");
  a.handle<ComponentHandle>(0).component->load(from.at, from.bytes / (isBfloat16 ? 2 : 4), isBfloat16);
  return nullptr;
}

// finishLoading(component) → bytes planned on the device
napi_value finishLoading(Arguments& a) {
  Component& component = *a.handle<ComponentHandle>(0).component;
  component.finishLoading();
  return toNumber(a, static_cast<double>(component.bytes()));
}

// stepLanguageModel(model, counts, ids, featureOf, sequenceOf, positions, table, vectors, chosen, histories,
// historyCounts, factors, requests, results): counts = rows, sequences, sampled, speaking, features; histories [sampled
// × 5 × window], the text's first, counts likewise; results [sampled × 6]: text, four codes, the bits of the wait
// token's share
napi_value stepLanguageModel(Arguments& a) {
  LanguageModel& model = componentOf<LanguageModel>(a);
  const ModelShape& shape = model.shape();
  const ModelLimits& limits = model.limits();
  const int* counts = a.integers(1, 5);
  StepInput in{};
  in.rows = counts[0];
  in.sequences = counts[1];
  in.sampled = counts[2];
  in.speaking = counts[3];
  in.features = counts[4];
  const bool fits = in.rows >= 1 && in.rows <= limits.rows && in.sequences >= 1 && in.sequences <= in.rows &&
                    in.sampled >= 0 && in.sampled <= limits.sampled && in.speaking >= 0 && in.speaking <= in.sampled &&
                    in.features >= 0 && in.features <= in.rows;
  if (!fits) Arguments::fail(1, "a step larger than was planned");
  const size_t rows = in.rows, sampled = in.sampled, heads = 1 + ModelShape::CODEBOOKS, window = ModelShape::WINDOW;
  in.ids = a.integers(2, rows * shape.tables());
  in.featureOf = a.integers(3, rows);
  in.sequenceOf = a.integers(4, rows);
  in.positions = a.integers(5, rows);
  in.table = a.integers(6, static_cast<size_t>(in.sequences) * limits.sequencePages);
  in.vectors = a.floats(7, static_cast<size_t>(in.features) * shape.hidden);
  in.chosen = a.integers(8, sampled);
  const int* histories = a.integers(9, sampled * heads * window);
  const int* historyCounts = a.integers(10, sampled * heads);
  in.textFactors = a.doubles(11, sampled);
  in.requests = a.doubles(12, sampled * 4);
  // Indices that the device follows.
  for (size_t r = 0; r < rows; r++) {
    if (in.sequenceOf[r] < 0 || in.sequenceOf[r] >= in.sequences || in.featureOf[r] >= in.features)
      Arguments::fail(4, "no such sequence or vector");
    if (in.positions[r] < 0 || in.positions[r] >= limits.sequencePages * limits.pageRows)
      Arguments::fail(5, "no such position");
    const int page = in.table[in.sequenceOf[r] * limits.sequencePages + in.positions[r] / limits.pageRows];
    if (page < 0 || page >= limits.pages) Arguments::fail(6, "no such page");
    for (int t = 0; t < shape.tables(); t++) {
      if (in.ids[r * shape.tables() + t] >= (t == 0 ? shape.vocabSize : shape.codeVocabSize))
        Arguments::fail(2, "no such id");
    }
  }
  // The text's histories and the codes' each on their own.
  std::vector<int> text(sampled * window), textCounts(sampled), codes(sampled * ModelShape::CODEBOOKS * window),
      codeCounts(sampled * ModelShape::CODEBOOKS);
  for (size_t r = 0; r < sampled; r++) {
    if (in.chosen[r] < 0 || in.chosen[r] >= in.rows) Arguments::fail(8, "no such row");
    for (size_t i = 0; i < heads; i++) {
      const int count = historyCounts[r * heads + i];
      if (count < 0 || count > static_cast<int>(window)) Arguments::fail(10, "a history longer than the window");
      const int* from = histories + (r * heads + i) * window;
      const size_t to = r * ModelShape::CODEBOOKS + i - 1;
      std::copy_n(from, window,
                  i == 0 ? text.begin() + static_cast<ptrdiff_t>(r * window)
                         : codes.begin() + static_cast<ptrdiff_t>(to * window));
      (i == 0 ? textCounts[r] : codeCounts[to]) = count;
    }
  }
  in.textHistories = text.data();
  in.textCounts = textCounts.data();
  in.codeHistories = codes.data();
  in.codeCounts = codeCounts.data();
  std::vector<int> outText(sampled), outCodes(sampled * ModelShape::CODEBOOKS);
  std::vector<float> shares(sampled);
  int* results = a.integers(13, sampled * 6);
  model.step(in, {outText.data(), outCodes.data(), shares.data()});
  for (size_t r = 0; r < sampled; r++) {
    results[6 * r] = outText[r];
    std::copy_n(outCodes.begin() + static_cast<ptrdiff_t>(r * ModelShape::CODEBOOKS), ModelShape::CODEBOOKS,
                results + 6 * r + 1);
    std::memcpy(results + 6 * r + 5, &shares[r], sizeof(float));
  }
  return nullptr;
}

#if defined(CUDA_EMULATION)
// seed(n): of the order in which blocks, lanes and independent work run
napi_value seed(Arguments& a) {
  emulation::seedOrder(a.integer(0));
  return nullptr;
}
#endif

Napi::Object init(Napi::Env env, Napi::Object exports) {
  exports.Set("interface", Napi::Number::New(env, INTERFACE));
#if defined(CUDA_EMULATION)
  exports.Set("emulated", Napi::Boolean::New(env, true));
  add<seed>(exports, "seed");
#else
  exports.Set("emulated", Napi::Boolean::New(env, false));
#endif
  add<device>(exports, "device");
  add<upload>(exports, "upload");
  add<run>(exports, "run");
  add<createLanguageModel>(exports, "createLanguageModel");
  add<loadWeight>(exports, "loadWeight");
  add<finishLoading>(exports, "finishLoading");
  add<stepLanguageModel>(exports, "stepLanguageModel");
  bindAudioEncoder(exports);
  bindVisionEncoder(exports);
  bindGanDecoder(exports);
  bindSpeechTokenizer(exports);
  return exports;
}

}  // namespace

NODE_API_MODULE(longcat_cuda, init)
