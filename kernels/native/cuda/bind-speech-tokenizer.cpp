#include "bind.h"
#include "speech-tokenizer.h"

namespace cuda {

namespace {

// createSpeechTokenizer(sizes: Int32Array, weight bytes) → handle; the order of sizes is that of
// components/speech-tokenizer/device-speech-tokenizer.ts: behind the fixed ones the time strides, then the strides
napi_value createSpeechTokenizer(Arguments& a) {
  constexpr size_t SIZES = 14, MOST_STRIDES = 32;
  const int* s = a.integers(0, SIZES);
  const size_t length = a.length(0), planes = s[13];
  for (size_t i = 0; i < length; i++) {
    if (s[i] < 1) Arguments::fail(0, "not a size");
  }
  if (length > SIZES + MOST_STRIDES || SIZES + planes >= length || s[2] % s[3] != 0 || s[2] / s[3] > 128)
    Arguments::fail(0, "not such sizes");
  TokenizerShape shape = {s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7], s[8], s[9], s[10], s[11], {}, {}};
  shape.timeStrides.assign(s + SIZES, s + SIZES + planes);
  shape.strides.assign(s + SIZES + planes, s + length);
  return give<SpeechTokenizer>(a, shape, s[12], static_cast<size_t>(a.number(1)));
}

// stepSpeechTokenizer(tokenizer, samples, features, codes): one utterance, of which every array is exactly as long
napi_value stepSpeechTokenizer(Arguments& a) {
  SpeechTokenizer& tokenizer = componentOf<SpeechTokenizer>(a);
  const TokenizerShape& shape = tokenizer.shape();
  const size_t samples = a.length(1), frames = samples / shape.samplesPerFrame(), rows = a.length(2) / shape.bands;
  if (frames < 1 || frames > static_cast<size_t>(tokenizer.mostFrames()) || samples % shape.samplesPerFrame() != 0)
    Arguments::fail(1, "more frames than were planned, or not whole ones");
  if (rows > 2 * samples || tokenizer.framesOf(static_cast<int>(rows)) != static_cast<int>(frames))
    Arguments::fail(2, "not the features of so many frames");
  tokenizer.step(static_cast<int>(frames), a.floats(1, samples), static_cast<int>(rows), a.floats(2, 0),
                 a.integers(3, frames * shape.codebooks()));
  return nullptr;
}

}  // namespace

void bindSpeechTokenizer(Napi::Object exports) {
  add<createSpeechTokenizer>(exports, "createSpeechTokenizer");
  add<stepSpeechTokenizer>(exports, "stepSpeechTokenizer");
}

}  // namespace cuda
