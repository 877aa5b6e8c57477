#include "audio-encoder.h"
#include "bind.h"

namespace cuda {

namespace {

// createAudioEncoder(sizes: Int32Array, weight bytes) → handle; the order of sizes is that of
// components/audio-encoder/device-audio-encoder.ts
napi_value createAudioEncoder(Arguments& a) {
  const int* s = a.integers(0, 14);
  const EncoderShape shape = {s[0], s[1], s[2], s[3], s[4], s[5], s[6], s[7], s[8], s[9], s[10]};
  for (const int i : {0, 1, 2, 3, 7, 8, 9, 11, 12, 13}) {
    if (s[i] < 1) Arguments::fail(0, "not a size");
  }
  if (s[4] < 0 || s[4] > s[3] || s[5] < 0 || s[6] < 0 || s[10] < 0) Arguments::fail(0, "not a context");
  return give<AudioEncoder>(a, shape, EncoderLimits{s[11], s[12], s[13]}, static_cast<size_t>(a.number(1)));
}

int slotOf(Arguments& a, size_t i) {
  const int slot = a.integer(i);
  if (slot >= componentOf<AudioEncoder>(a).limits().slots) Arguments::fail(i, "no such slot");
  return slot;
}

// clearAudioEncoder(encoder, slot)
napi_value clearAudioEncoder(Arguments& a) {
  componentOf<AudioEncoder>(a).clear(slotOf(a, 1));
  return nullptr;
}

// copyAudioEncoder(encoder, from slot, to slot)
napi_value copyAudioEncoder(Arguments& a) {
  componentOf<AudioEncoder>(a).copy(slotOf(a, 1), slotOf(a, 2));
  return nullptr;
}

// stepAudioEncoder(encoder, slots, rows, isEnding, seen [streams × layers], spliced, counts, vectors, captions); the
// last three are written, and large enough for all that could come
napi_value stepAudioEncoder(Arguments& a) {
  AudioEncoder& encoder = componentOf<AudioEncoder>(a);
  const EncoderShape& shape = encoder.shape();
  const EncoderLimits& limits = encoder.limits();
  const size_t streams = a.length(1);
  if (streams < 1 || streams > static_cast<size_t>(limits.streams)) Arguments::fail(1, "more than were planned");
  const EncoderPass pass = {static_cast<int>(streams),
                            a.integers(1, streams),
                            a.integers(2, streams),
                            a.integers(3, streams),
                            a.integers(4, streams * shape.layers),
                            nullptr};
  size_t rows = 0, most = 0;
  std::vector<bool> isUsed(limits.slots);
  for (size_t s = 0; s < streams; s++) {
    const int slot = pass.slots[s];
    if (slot < 0 || slot >= limits.slots || isUsed[slot]) Arguments::fail(1, "no such slot, or twice");
    if (pass.rows[s] < 0 || pass.rows[s] > limits.rows) Arguments::fail(2, "more vectors than were planned");
    isUsed[slot] = true;
    rows += pass.rows[s];
    most += pass.rows[s] + (pass.isEnding[s] ? shape.lookAhead() : 0);
    for (int l = 0; l < shape.layers; l++) {
      const int seen = pass.seen[s * shape.layers + l];
      if (seen < 0 || seen > shape.rightOf(l)) Arguments::fail(4, "no such count");
    }
  }
  if (rows > static_cast<size_t>(limits.rows)) Arguments::fail(2, "more vectors than were planned");
  EncoderPass whole = pass;
  whole.spliced = a.floats(5, rows * shape.inputs);
  encoder.step(whole, a.integers(6, streams), a.floats(7, most * shape.projected), a.floats(8, most * shape.captions));
  return nullptr;
}

}  // namespace

void bindAudioEncoder(Napi::Object exports) {
  add<createAudioEncoder>(exports, "createAudioEncoder");
  add<clearAudioEncoder>(exports, "clearAudioEncoder");
  add<copyAudioEncoder>(exports, "copyAudioEncoder");
  add<stepAudioEncoder>(exports, "stepAudioEncoder");
}

}  // namespace cuda
