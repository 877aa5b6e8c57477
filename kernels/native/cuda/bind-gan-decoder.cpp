#include "bind.h"
#include "gan-decoder.h"

namespace cuda {

namespace {

// createGanDecoder(sizes: Int32Array, weight bytes) → handle; the order of sizes is that of
// components/gan-decoder/device-gan-decoder.ts, the strides of the blocks come last
napi_value createGanDecoder(Arguments& a) {
  constexpr size_t SIZES = 9, MOST_BLOCKS = 16;
  const int* s = a.integers(0, SIZES + 1);
  const size_t blocks = a.length(0) - SIZES;
  DecoderShape shape = {s[0], s[1], s[2], s[3], s[4], s[5], {}};
  if (blocks > MOST_BLOCKS || shape.stages > CodeTables::MOST_STAGES) Arguments::fail(0, "too many blocks or stages");
  for (size_t i = 0; i < SIZES + blocks; i++) {
    if (s[i] < 1) Arguments::fail(0, "not a size");
    if (i >= SIZES) shape.strides.push_back(s[i]);
  }
  return give<GanDecoder>(a, shape, DecoderLimits{s[6], s[7], s[8]}, static_cast<size_t>(a.number(1)));
}

// clearGanDecoder(decoder, slot)
napi_value clearGanDecoder(Arguments& a) {
  GanDecoder& decoder = componentOf<GanDecoder>(a);
  const int slot = a.integer(1);
  if (slot >= decoder.limits().slots) Arguments::fail(1, "no such slot");
  decoder.clear(slot);
  return nullptr;
}

// stepGanDecoder(decoder, slots, frames, skipped, codes | empty, samples): per stream; without codes it is an ending
napi_value stepGanDecoder(Arguments& a) {
  GanDecoder& decoder = componentOf<GanDecoder>(a);
  const DecoderShape& shape = decoder.shape();
  const DecoderLimits& limits = decoder.limits();
  const size_t streams = a.length(1);
  DecoderPass pass{static_cast<int>(streams), a.length(4) == 0,       a.integers(1, 1),
                   a.integers(2, streams),    a.integers(3, streams), a.integers(4, 0)};
  size_t frames = 0, complete = 0;
  std::vector<bool> isUsed(limits.slots);
  for (size_t s = 0; s < streams; s++) {
    const int own = pass.frames[s], slot = pass.slots[s];
    if (slot < 0 || slot >= limits.slots || isUsed[slot]) Arguments::fail(1, "no such slot, or twice");
    if (own < 1 || own > limits.streamFrames || (s > 0 && own > pass.frames[s - 1]))
      Arguments::fail(2, "more frames than were planned, or in another order");
    if (pass.skipped[s] < 0 || pass.skipped[s] > own) Arguments::fail(3, "more than there are");
    isUsed[slot] = true;
    frames += own;
    complete += own - pass.skipped[s];
  }
  if (frames > static_cast<size_t>(limits.frames)) Arguments::fail(2, "more frames than were planned");
  if (!pass.isEnding) {
    a.integers(4, frames * shape.codebooks());
    for (size_t i = 0; i < frames * shape.codebooks(); i++) {
      const int entries = i % shape.codebooks() == 0 ? shape.semanticEntries : shape.innerSize * shape.innerSize;
      if (pass.codes[i] < 0 || pass.codes[i] >= entries) Arguments::fail(4, "no such code");
    }
  }
  decoder.step(pass, a.floats(5, complete * shape.samplesPerFrame()));
  return nullptr;
}

}  // namespace

void bindGanDecoder(Napi::Object exports) {
  add<createGanDecoder>(exports, "createGanDecoder");
  add<clearGanDecoder>(exports, "clearGanDecoder");
  add<stepGanDecoder>(exports, "stepGanDecoder");
}

}  // namespace cuda
