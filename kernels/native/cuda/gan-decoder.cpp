#include "gan-decoder.h"

#include <algorithm>
#include <cstring>

namespace cuda {

namespace {
constexpr float NORM_EPSILON = 1e-5f;
}  // namespace

int DecoderShape::samplesPerFrame() const {
  int samples = 1;
  for (const int stride : strides) samples *= stride;
  return samples;
}

GanDecoder::GanDecoder(const DecoderShape& shape, const DecoderLimits& limits, size_t weightBytes)
    : Component(weightBytes), shape_(shape), limits_(limits), weightBytes_(weightBytes) {
  planState();
  const size_t frames = limits.frames, streams = std::min(limits.slots, limits.frames);
  size_t integers = 0;
  const auto place = [&integers](size_t count) {
    const size_t at = integers;
    integers += count;
    return at;
  };
  places_.counts = place(LEVELS + 1 + shape.strides.size());
  places_.slots = place(streams);
  places_.begins = place(streams + 1);
  places_.completeBegins = place(streams + 1);
  places_.active = place(limits.streamFrames);
  places_.windows = place(frames);
  places_.ordinals = place(frames);
  places_.codes = place(frames * shape.codebooks());
  places_.end = integers;
  stateBytes_ = slotNumbers_ * limits.slots * sizeof(float);
  Plan plan;
  planWork(plan);
  workBytes_ = plan.bytes();
  state_ = Memory(stateBytes_);
  work_ = std::make_unique<Arena>(workBytes_);
  planWork(*work_);
  staging_ = std::make_unique<HostMemory>(places_.end * sizeof(int));
  std::memset(staging_->at(), 0, places_.end * sizeof(int));
  results_ = std::make_unique<HostMemory>(frames * shape.samplesPerFrame() * sizeof(float));
}

void GanDecoder::planState() {
  const auto place = [this](size_t numbers) {
    const size_t at = slotNumbers_;
    slotNumbers_ += numbers;
    return at;
  };
  for (MemoryLayer& memory : memories_) {
    memory.h = place(shape_.width());
    memory.c = place(shape_.width());
  }
  firstKept_ = place(static_cast<size_t>(KERNEL - 1) * shape_.width());
  int channels = shape_.channels, perFrame = 1;
  for (const int stride : shape_.strides) {
    Block block{};
    block.inputs = channels;
    block.outputs = channels /= 2;
    block.stride = stride;
    block.perFrame = perFrame *= stride;
    for (int u = 0; u < UNITS; u++)
      block.units[u].kept = place(static_cast<size_t>(KERNEL - 1) * DILATIONS[u] * channels);
    blocks_.push_back(block);
  }
  lastKept_ = place(static_cast<size_t>(KERNEL - 1) * channels);
}

template <class Take>
void GanDecoder::planWork(Take&& memory) {
  const size_t frames = limits_.frames, streams = std::min(limits_.slots, limits_.frames), width = shape_.width();
  size_t sound = shape_.channels, joined = (frames + (KERNEL - 1) * streams) * width;
  for (const Block& block : blocks_) {
    const size_t rows = block.perFrame, kept = static_cast<size_t>(KERNEL - 1) * DILATIONS[UNITS - 1];
    sound = std::max(sound, rows * block.outputs);
    joined = std::max(joined, (frames * rows + kept * streams) * block.outputs);
  }
  const auto floats = [&](size_t count) { return memory.template take<float>(count); };
  staged_ = memory.template take<int>(places_.end);
  frames_ = floats(frames * width);
  remembered_ = floats(frames * width);
  h_ = floats(streams * width);
  inputs_ = floats(frames * 4 * width);
  recurrent_ = floats(streams * 4 * width);
  joined_ = floats(joined);
  x_ = floats(frames * sound);
  y_ = floats(frames * sound);
  filtered_ = floats(frames * sound);
  samples_ = floats(frames * shape_.samplesPerFrame());
}

Convolution GanDecoder::convolution(int outputs, int channels, int kernel) {
  const float* weights = floats(outputs * kernel * paddedChannels(channels));
  return {weights, floats(outputs), outputs, channels, kernel};
}

// In the order of deviceTensors() of components/gan-decoder/device-weights.ts.
void GanDecoder::readWeights() {
  const int width = shape_.width(), half = shape_.latentWidth / 2;
  tables_ = {floats(shape_.semanticEntries * shape_.semanticWidth),
             {},
             shape_.stages,
             shape_.innerSize,
             shape_.semanticWidth,
             shape_.latentWidth};
  for (int i = 0; i < 2 * shape_.stages; i++) tables_.halves[i] = floats(shape_.innerSize * half);
  for (MemoryLayer& memory : memories_) {
    const Matrix input = matrix(4 * width, width), recurrent = matrix(4 * width, width);
    memory.lstm = {input, recurrent, floats(4 * width)};
    memory.normWeight = floats(width);
    memory.normBias = floats(width);
  }
  first_ = convolution(shape_.channels, width, KERNEL);
  for (Block& block : blocks_) {
    block.alpha = floats(block.inputs);
    block.upsample = affine(block.stride * block.outputs, block.inputs);
    for (Unit& unit : block.units) {
      unit.alphaBefore = floats(block.outputs);
      unit.dilated = convolution(block.outputs, block.outputs, KERNEL);
      unit.alphaAfter = floats(block.outputs);
      unit.pointwise = affine(block.outputs, block.outputs);
    }
  }
  const int channels = blocks_.back().outputs;
  lastAlpha_ = floats(channels);
  last_ = convolution(1, channels, KERNEL);
}

void GanDecoder::clear(int slot) {
  float* first = state_.as<float>() + slotNumbers_ * slot;
  check(cudaMemsetAsync(first, 0, slotNumbers_ * sizeof(float), stream_), "a stream's beginning");
}

int GanDecoder::fill(const DecoderPass& pass) {
  int* to = reinterpret_cast<int*>(staging_->at());
  int *begins = to + places_.begins, *completeBegins = to + places_.completeBegins;
  int frame = 0, complete = 0;
  std::fill_n(to + places_.active, limits_.streamFrames, 0);
  for (int s = 0; s < pass.streams; s++) {
    to[places_.slots + s] = pass.slots[s];
    begins[s] = frame;
    completeBegins[s] = complete;
    for (int i = 0; i < pass.frames[s]; i++, frame++) {
      to[places_.active + i]++;
      if (i < pass.skipped[s]) continue;
      to[places_.windows + complete] = frame + s * (KERNEL - 1) - complete;
      to[places_.ordinals + complete++] = s;
    }
  }
  begins[pass.streams] = frame;
  completeBegins[pass.streams] = complete;
  if (!pass.isEnding) std::copy_n(pass.codes, frame * shape_.codebooks(), to + places_.codes);
  int* counts = to + places_.counts;
  counts[FRAMES] = frame;
  counts[STREAMS] = pass.streams;
  counts[LEVELS] = complete;
  for (size_t b = 0; b < blocks_.size(); b++) counts[LEVELS + 1 + b] = complete * blocks_[b].perFrame;
  return complete;
}

void GanDecoder::step(const DecoderPass& pass, float* samples) {
  const int complete = fill(pass);
  const int streams = bucketOf(pass.streams, std::min(limits_.slots, limits_.frames));
  const int streamFrames = bucketOf(pass.frames[0], limits_.streamFrames);
  const int frames = std::min(streams * streamFrames, limits_.frames);
  graphs_.run({streams, 2 * streamFrames + pass.isEnding}, stream_,
              [&] { enqueue(streams, frames, streamFrames, pass.isEnding); });
  const size_t bytes = static_cast<size_t>(complete) * shape_.samplesPerFrame() * sizeof(float);
  if (bytes > 0)
    check(cudaMemcpyAsync(results_->at(), samples_, bytes, cudaMemcpyDeviceToHost, stream_), "a pass's samples");
  stream_.wait();
  std::memcpy(samples, results_->at(), bytes);
}

Rows GanDecoder::rowsOf(int level, int frames) const {
  return {level == 0 ? frames : frames * blocks_[level - 1].perFrame, counts() + LEVELS + level};
}

void GanDecoder::enqueue(int streams, int frames, int streamFrames, bool isEnding) {
  const int width = shape_.width();
  const auto* staging = staging_->at();
  check(cudaMemcpyAsync(staged_, staging, places_.end * sizeof(int), cudaMemcpyHostToDevice, stream_), "a pass");
  const StreamRows own = {streams, counts() + STREAMS, staged_ + places_.slots, staged_ + places_.begins, 1};
  StreamRows complete = own;
  complete.begins = staged_ + places_.completeBegins;
  const Rows rows = {frames, counts() + FRAMES};
  if (isEnding) {
    // Zeros stand for what would follow; the memory is not stepped.
    check(cudaMemsetAsync(frames_, 0, static_cast<size_t>(frames) * width * sizeof(float), stream_), "an ending");
  } else {
    codeFrames(tables_, staged_ + places_.codes, rows, frames_, stream_);
    for (const MemoryLayer& memory : memories_) {
      float* state = state_.as<float>();
      const LstmState kept = {state + memory.h, state + memory.c, static_cast<int64_t>(slotNumbers_)};
      lstm(memory.lstm, frames_, rows, kept, own, {streamFrames, staged_ + places_.active}, {h_, inputs_, recurrent_},
           remembered_, stream_);
      layerNorm(remembered_, memory.normWeight, memory.normBias, rows, width, NORM_EPSILON, frames_, stream_);
    }
  }
  convolveKept(first_, firstKept_, 1, own, streamFrames, frames_, nullptr, rowsOf(0, frames),
               {1, 1, staged_ + places_.windows, 1, 1}, x_);
  float *x = x_, *y = y_;
  for (size_t b = 0; b < blocks_.size(); b++) {
    enqueueBlock(blocks_[b], static_cast<int>(b), complete, frames, streamFrames, x, y);
    std::swap(x, y);
  }
  complete.perFrame = blocks_.back().perFrame;
  const Rows samples = rowsOf(static_cast<int>(blocks_.size()), frames);
  convolveKept(last_, lastKept_, 1, complete, streamFrames, x, lastAlpha_, samples,
               {1, 1, staged_ + places_.ordinals, complete.perFrame, KERNEL - 1}, samples_);
  tanhOf(samples_, samples, stream_);
  check(cudaGetLastError(), "a pass");
}

void GanDecoder::enqueueBlock(const Block& block, int level, StreamRows complete, int frames, int streamFrames,
                              float* x, float* y) {
  const Rows before = rowsOf(level, frames), behind = rowsOf(level + 1, frames);
  complete.perFrame = block.perFrame;
  snake(x, block.alpha, before, block.inputs, x, stream_);
  linear(block.upsample.matrix, block.upsample.bias, x, before, nullptr, y, stream_);
  for (int u = 0; u < UNITS; u++) {
    const Unit& unit = block.units[u];
    const int kept = (KERNEL - 1) * DILATIONS[u];
    convolveKept(unit.dilated, unit.kept, DILATIONS[u], complete, streamFrames, y, unit.alphaBefore, behind,
                 {1, DILATIONS[u], staged_ + places_.ordinals, block.perFrame, kept}, filtered_);
    snake(filtered_, unit.alphaAfter, behind, block.outputs, filtered_, stream_);
    linear(unit.pointwise.matrix, unit.pointwise.bias, filtered_, behind, y, y, stream_);
  }
}

void GanDecoder::convolveKept(const Convolution& convolution, size_t place, int dilation, StreamRows streams,
                              int streamFrames, const float* x, const float* alpha, Rows rows, WindowLayout layout,
                              float* out) {
  const Kept kept = {state_.as<float>() + place, static_cast<int64_t>(slotNumbers_),
                     (convolution.kernel - 1) * dilation, convolution.channels};
  joinKept(kept, streams, streamFrames * streams.perFrame, x, nullptr, alpha, joined_, stream_);
  keepLast(kept, streams, joined_, stream_);
  convolve(convolution, joined_, rows, layout, out, stream_);
}

}  // namespace cuda
