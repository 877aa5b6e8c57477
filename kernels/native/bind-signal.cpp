// Sound before and after the networks, and pixels before them.
#include <array>
#include <cstring>
#include <vector>

#include "arguments.h"

namespace {

struct FftHandle : Handle {
  static constexpr uint32_t TAG = 0x46465452;
  FftPlan plan{};
  std::vector<int32_t> order;
  std::vector<double> cosine, sine;
  explicit FftHandle(uint32_t tag = TAG) : Handle(tag) {}

  // The tables by stage: the twiddles of `half` butterflies at [half, 2·half).
  void prepare(int size, const int32_t* bitReversal, const double* cosines, const double* sines) {
    order.assign(bitReversal, bitReversal + size);
    for (int n = 0; n < size; n++) {
      if (order[n] < 0 || order[n] >= size) Arguments::fail(1, "not a permutation");
    }
    cosine.resize(size);
    sine.resize(size);
    for (int half = 1; half < size; half *= 2) {
      for (int k = 0; k < half; k++) {
        cosine[half + k] = cosines[k * (size / (2 * half))];
        sine[half + k] = sines[k * (size / (2 * half))];
      }
    }
    plan = {size, order.data(), cosine.data(), sine.data()};
  }
};

struct FbankHandle : FftHandle {
  static constexpr uint32_t TAG = 0x4642414e;
  FbankPlan fbank{};
  std::vector<double> window, weights;
  std::vector<int32_t> extents;
  FbankHandle() : FftHandle(TAG) {}
};

struct VoiceFrameHandle : FftHandle {
  static constexpr uint32_t TAG = 0x564f4943;
  VoiceFramePlan voice{};
  std::vector<double> window;
  std::vector<int32_t> edges;
  VoiceFrameHandle() : FftHandle(TAG) {}
};

int transformSize(Arguments& a, size_t i) {
  const int size = a.integer(i, 2);
  if ((size & (size - 1)) != 0) Arguments::fail(i, "not a power of two");
  return size;
}

// prepareFft(size, order, cosines, sines) → handle
napi_value prepareFft(Arguments& a) {
  auto handle = std::make_unique<FftHandle>();
  const int size = transformSize(a, 0);
  handle->prepare(size, a.integers(1, size), a.doubles(2, size / 2), a.doubles(3, size / 2));
  return a.give(std::move(handle), size * 20);
}

// fft(handle, frame, frameLength, real, imaginary)
napi_value fft(Arguments& a) {
  const FftPlan& plan = a.handle<FftHandle>(0).plan;
  const int length = a.integer(2);
  if (length > plan.size) Arguments::fail(2, "longer than the transform");
  const size_t bins = plan.size / 2 + 1;
  kernels->fft(plan, a.doubles(1, length), length, a.doubles(3, bins), a.doubles(4, bins));
  return nullptr;
}

// powerSpectrum(handle, frame, frameLength, out)
napi_value powerSpectrum(Arguments& a) {
  const FftPlan& plan = a.handle<FftHandle>(0).plan;
  const int length = a.integer(2);
  if (length > plan.size) Arguments::fail(2, "longer than the transform");
  kernels->powerSpectrum(plan, a.doubles(1, length), length, a.doubles(3, plan.size / 2 + 1));
  return nullptr;
}

// prepareFbank(size, order, cosines, sines, window, shift, scale, preEmphasis, floor, extents, weights) → handle
napi_value prepareFbank(Arguments& a) {
  auto handle = std::make_unique<FbankHandle>();
  const int size = transformSize(a, 0);
  handle->prepare(size, a.integers(1, size), a.doubles(2, size / 2), a.doubles(3, size / 2));
  const size_t length = a.length(4);
  if (length < 1 || length > static_cast<size_t>(size)) Arguments::fail(4, "does not fit the transform");
  const double* window = a.doubles(4, length);
  handle->window.assign(window, window + length);
  const size_t fields = a.length(9);
  const int32_t* extents = a.integers(9, fields);
  handle->extents.assign(extents, extents + fields);
  size_t total = 0;
  for (size_t bin = 0; bin + 1 < fields; bin += 2) {
    if (extents[bin] < 0 || extents[bin + 1] < 0 || extents[bin] + extents[bin + 1] > size / 2 + 1) {
      Arguments::fail(9, "a filter outside the spectrum");
    }
    total += extents[bin + 1];
  }
  const double* weights = a.doubles(10, total);
  handle->weights.assign(weights, weights + total);
  handle->fbank = {handle->plan,
                   handle->window.data(),
                   static_cast<int>(length),
                   a.integer(5, 1),
                   a.number(6),
                   a.number(7),
                   a.number(8),
                   static_cast<int>(fields / 2),
                   handle->extents.data(),
                   handle->weights.data()};
  return a.give(std::move(handle), size * 20 + total * 8);
}

// fbank(handle, samples, frames, out)
napi_value fbank(Arguments& a) {
  const FbankPlan& plan = a.handle<FbankHandle>(0).fbank;
  const int frames = a.integer(2);
  if (frames == 0) return nullptr;
  const size_t samples = static_cast<size_t>(frames - 1) * plan.frameShift + plan.frameLength;
  kernels->fbank(plan, a.floats(1, samples), frames, a.floats(3, static_cast<size_t>(frames) * plan.bins));
  return nullptr;
}

// prepareVoiceFrame(size, order, cosines, sines, window, edges, [frame, factor, lowestBin, lowestToneBin]) → handle
napi_value prepareVoiceFrame(Arguments& a) {
  auto handle = std::make_unique<VoiceFrameHandle>();
  const int size = transformSize(a, 0);
  handle->prepare(size, a.integers(1, size), a.doubles(2, size / 2), a.doubles(3, size / 2));
  const double* window = a.doubles(4, size);
  handle->window.assign(window, window + size);
  const int32_t* edges = a.integers(5, VOICE_BANDS + 3);
  handle->edges.assign(edges, edges + VOICE_BANDS + 3);
  for (const int32_t edge : handle->edges) {
    if (edge < 0 || edge > size / 2 + 1) Arguments::fail(5, "outside the spectrum");
  }
  const int32_t* numbers = a.integers(6, 4);
  const auto [frame, factor, lowestBin, lowestToneBin] = std::array{numbers[0], numbers[1], numbers[2], numbers[3]};
  if (frame < 1 || frame > size || factor < 1 || frame / factor > VOICE_PITCH || lowestBin < 0 || lowestBin > size / 2)
    Arguments::fail(6, "does not fit the transform");
  handle->voice = {handle->plan, handle->window.data(), handle->edges.data(), frame, factor, lowestBin, lowestToneBin};
  return a.give(std::move(handle), size * 28);
}

// voiceFrame(handle, samples, history, pitch, measures)
napi_value voiceFrame(Arguments& a) {
  const VoiceFramePlan& plan = a.handle<VoiceFrameHandle>(0).voice;
  kernels->voiceFrame(plan, a.floats(1, plan.frame), a.doubles(2, plan.fft.size), a.doubles(3, VOICE_PITCH),
                      a.doubles(4, VOICE_MEASURES));
  return nullptr;
}

// doubleLinear(columns, bias, rows, width, x, out)
napi_value doubleLinear(Arguments& a) {
  const int rows = a.integer(2, 1);
  const int width = a.integer(3, 1);
  kernels->doubleLinear(a.doubles(0, static_cast<size_t>(rows) * width), a.doubles(1, rows), rows, width,
                        a.doubles(4, width), a.doubles(5, rows));
  return nullptr;
}

// nearest(codebook [width × entries], squares, entries, width, x, rows, indices)
napi_value nearest(Arguments& a) {
  const int entries = a.integer(2, 1);
  const int width = a.integer(3, 1);
  const int rows = a.integer(5);
  kernels->nearest(a.doubles(0, static_cast<size_t>(entries) * width), a.doubles(1, entries), entries, width,
                   a.floats(4, static_cast<size_t>(rows) * width), rows, a.integers(6, rows));
  return nullptr;
}

// resample(taps, up, down, width, samples, window, phase, out) → outputs
napi_value resample(Arguments& a) {
  const int up = a.integer(1, 1);
  const int width = a.integer(3, 1);
  const int phase = a.integer(6);
  if (phase >= up) Arguments::fail(6, "not a phase");
  const size_t samples = a.length(4);
  const size_t most = a.length(7);
  return toNumber(a, kernels->resample(a.doubles(0, static_cast<size_t>(up) * width), up, a.integer(2, 1), width,
                                       a.floats(4, samples), samples, a.integer(5), phase, a.floats(7, most), most));
}

// Every output's inputs must lie inside [0, size).
void checkTaps(const int32_t* first, const int32_t* count, int outputs, int size, int stride) {
  for (int i = 0; i < outputs; i++) {
    if (first[i] < 0 || count[i] < 0 || count[i] > stride || first[i] + count[i] > size)
      Arguments::fail(0, "taps outside");
  }
}

// bicubicHorizontal(data, width, height, channels, outWidth, first, count, weights, stride, out)
napi_value bicubicHorizontal(Arguments& a) {
  const int width = a.integer(1, 1);
  const int height = a.integer(2);
  const int channels = a.integer(3, 1);
  const int outWidth = a.integer(4, 1);
  const int stride = a.integer(8, 1);
  const int32_t* first = a.integers(5, outWidth);
  const int32_t* count = a.integers(6, outWidth);
  checkTaps(first, count, outWidth, width, stride);
  kernels->bicubicHorizontal(a.bytes(0, static_cast<size_t>(width) * height * channels), width, height, channels,
                             outWidth, first, count, a.integers(7, static_cast<size_t>(outWidth) * stride), stride,
                             a.bytes(9, static_cast<size_t>(outWidth) * height * channels));
  return nullptr;
}

// bicubicVertical(data, height, rowLength, outHeight, first, count, weights, stride, out)
napi_value bicubicVertical(Arguments& a) {
  const int height = a.integer(1, 1);
  const int rowLength = a.integer(2, 1);
  const int outHeight = a.integer(3, 1);
  const int stride = a.integer(7, 1);
  const int32_t* first = a.integers(4, outHeight);
  const int32_t* count = a.integers(5, outHeight);
  checkTaps(first, count, outHeight, height, stride);
  kernels->bicubicVertical(a.bytes(0, static_cast<size_t>(height) * rowLength), rowLength, outHeight, first, count,
                           a.integers(6, static_cast<size_t>(outHeight) * stride), stride,
                           a.bytes(8, static_cast<size_t>(outHeight) * rowLength));
  return nullptr;
}

// cmvn(x, rows, width, mean, deviation, out)
napi_value cmvn(Arguments& a) {
  const int rows = a.integer(1);
  const int width = a.integer(2, 1);
  const size_t count = static_cast<size_t>(rows) * width;
  kernels->cmvn(a.floats(0, count), rows, width, a.floats(3, width), a.floats(4, width), a.floats(5, count));
  return nullptr;
}

}  // namespace

void bindSignal(Napi::Object exports) {
  define<prepareFft>(exports, "prepareFft");
  define<fft>(exports, "fft");
  define<powerSpectrum>(exports, "powerSpectrum");
  define<prepareFbank>(exports, "prepareFbank");
  define<fbank>(exports, "fbank");
  define<prepareVoiceFrame>(exports, "prepareVoiceFrame");
  define<voiceFrame>(exports, "voiceFrame");
  define<doubleLinear>(exports, "doubleLinear");
  define<nearest>(exports, "nearest");
  define<resample>(exports, "resample");
  define<bicubicHorizontal>(exports, "bicubicHorizontal");
  define<bicubicVertical>(exports, "bicubicVertical");
  define<cmvn>(exports, "cmvn");
}
