#include "speech-tokenizer.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace cuda {

namespace {
// Rows of zeros before each convolution of features.
constexpr int LEFT_PADDING = 2;
}  // namespace

int TokenizerShape::samplesPerFrame() const {
  int samples = 1;
  for (const int stride : strides) samples *= stride;
  return samples;
}

int SpeechTokenizer::mostFeatureRows(int frames) const {
  int rows = frames;
  for (const int stride : shape_.timeStrides) rows *= stride;
  return rows;
}

size_t SpeechTokenizer::tilesAt() const {
  const size_t counts = LEVELS + shape_.timeStrides.size() + shape_.strides.size() + 1;
  constexpr size_t TILE = sizeof(AttentionTile) / sizeof(int);
  return (counts + TILE - 1) / TILE * TILE;
}

SpeechTokenizer::SpeechTokenizer(const TokenizerShape& shape, int mostFrames, size_t weightBytes)
    : Component(weightBytes), shape_(shape), mostFrames_(mostFrames), weightBytes_(weightBytes) {
  const size_t tiles = ceilDivide(mostFrames, AttentionTile::QUERIES);
  stagedInts_ = tilesAt() + tiles * sizeof(AttentionTile) / sizeof(int);
  Plan plan;
  planWork(plan);
  workBytes_ = plan.bytes();
  work_ = std::make_unique<Arena>(workBytes_);
  planWork(*work_);
  staging_ = std::make_unique<HostMemory>(stagedInts_ * sizeof(int));
  std::memset(staging_->at(), 0, stagedInts_ * sizeof(int));
  results_ = std::make_unique<HostMemory>(static_cast<size_t>(mostFrames) * shape.codebooks() * sizeof(int));
}

template <class Take>
void SpeechTokenizer::planWork(Take& memory) {
  const size_t frames = mostFrames_, width = shape_.width, features = mostFeatureRows(mostFrames_);
  const size_t planes = features * shape_.convolutionChannels * shape_.bands;
  // Of sound: rows and channels change from block to block.
  size_t rows = frames * shape_.samplesPerFrame(), channels = shape_.channels, sound = rows * channels;
  size_t padded = (rows + KERNEL) * channels;
  for (const int stride : shape_.strides) {
    const size_t around = std::max((KERNEL - 1) * DILATIONS[UNITS - 1], stride + 1);
    padded = std::max(padded, (rows + around) * channels);
    rows /= stride;
    channels *= 2;
    sound = std::max(sound, rows * channels);
  }
  padded = std::max({padded, (rows + LAST_KERNEL) * channels, frames * shape_.latentWidth});
  sound = std::max(sound, frames * shape_.latentWidth);
  const auto floats = [&](size_t count) { return memory.template take<float>(count); };
  staged_ = memory.template take<int>(stagedInts_);
  samples_ = floats(frames * shape_.samplesPerFrame());
  features_ = floats(features * shape_.bands);
  plane_ = floats(planes);
  other_ = floats(planes);
  for (float** of : {&x_, &normed_, &q_, &k_, &v_, &attended_}) *of = floats(frames * width);
  wide_ = floats(frames * shape_.inner);
  sound_ = floats(sound);
  padded_ = floats(padded);
  filtered_ = floats(sound);
  found_ = floats(frames * shape_.searchWidth);
  chosenA_ = memory.template take<int>(frames);
  chosenB_ = memory.template take<int>(frames);
  codes_ = memory.template take<int>(frames * shape_.codebooks());
}

SpeechTokenizer::Norm SpeechTokenizer::norm(int width) {
  const float* weight = floats(width);
  return {weight, floats(width)};
}

Convolution SpeechTokenizer::convolution(int outputs, int channels, int kernel) {
  const float* weights = floats(outputs * kernel * paddedChannels(channels));
  return {weights, floats(outputs), outputs, channels, kernel};
}

// Doubles, loaded as pairs of floats' worth of bits.
NearestBook SpeechTokenizer::book(int entries, int width) {
  const auto* columns = reinterpret_cast<const double*>(floats(2 * entries * width));
  return {columns, reinterpret_cast<const double*>(floats(2 * entries)), entries, width};
}

// In the order of deviceTensors() of components/speech-tokenizer/device-weights.ts.
void SpeechTokenizer::readWeights() {
  readSemantic();
  readAcoustic();
}

void SpeechTokenizer::readSemantic() {
  const int width = shape_.width, channels = shape_.convolutionChannels;
  int bands = shape_.bands;
  for (size_t i = 0; i < shape_.timeStrides.size(); i++) {
    planes_.push_back(affine(channels, (i == 0 ? 1 : channels) * PLANE_KERNEL * PLANE_KERNEL));
    bands -= PLANE_KERNEL - 1;
  }
  affine_ = affine(width, channels * bands);
  norm_ = norm(width);
  positions_ = floats(mostFrames_ * width);
  layers_.resize(shape_.layers);
  for (Layer& layer : layers_) {
    layer.first = norm(width);
    for (Affine* part : {&layer.q, &layer.k, &layer.v, &layer.output}) *part = affine(width, width);
    layer.second = norm(width);
    layer.widen = affine(shape_.inner, width);
    layer.narrow = affine(width, shape_.inner);
    layer.third = norm(width);
  }
  semantic_ = book(shape_.entries, width);
}

void SpeechTokenizer::readAcoustic() {
  int channels = shape_.channels;
  first_ = convolution(channels, 1, KERNEL);
  for (const int stride : shape_.strides) {
    Block block{};
    block.channels = channels;
    block.stride = stride;
    for (Unit& unit : block.units) {
      unit.alphaBefore = floats(channels);
      unit.dilated = convolution(channels, channels, KERNEL);
      unit.alphaAfter = floats(channels);
      unit.pointwise = affine(channels, channels);
    }
    block.alpha = floats(channels);
    block.down = convolution(2 * channels, channels, 2 * stride);
    blocks_.push_back(block);
    channels *= 2;
  }
  lastAlpha_ = floats(channels);
  last_ = convolution(shape_.latentWidth, channels, LAST_KERNEL);
  const int width = shape_.latentWidth, search = shape_.searchWidth, size = shape_.stageSize;
  for (int j = 0; j < shape_.stages; j++) {
    Stage stage{};
    stage.searchA = affine(search, width);
    stage.searchB = affine(search, width);
    stage.bookA = book(size, search);
    stage.bookB = book(size, search);
    const float* a = floats(size * width / 2);
    stage.tables = {a, floats(size * width / 2), size};
    stages_.push_back(stage);
  }
}

int SpeechTokenizer::framesOf(int featureRows) const {
  int rows = featureRows;
  for (const int stride : shape_.timeStrides) rows = (rows + LEFT_PADDING - PLANE_KERNEL) / stride + 1;
  return rows;
}

void SpeechTokenizer::fill(int frames, int featureRows) {
  int* counts = staging();
  int level = LEVELS, rows = featureRows;
  counts[FRAMES] = frames;
  counts[TILES] = ceilDivide(frames, AttentionTile::QUERIES);
  for (const int stride : shape_.timeStrides) {
    rows = (rows + LEFT_PADDING - PLANE_KERNEL) / stride + 1;
    counts[level++] = rows;
  }
  counts[level++] = rows = frames * shape_.samplesPerFrame();
  for (const int stride : shape_.strides) counts[level++] = rows /= stride;
  auto* tiles = reinterpret_cast<AttentionTile*>(staging() + tilesAt());
  for (int i = 0; i < frames; i += AttentionTile::QUERIES)
    *tiles++ = {i, std::min(AttentionTile::QUERIES, frames - i), 0, frames};
}

void SpeechTokenizer::step(int frames, const float* samples, int featureRows, const float* features, int* codes) {
  fill(frames, featureRows);
  const auto bring = [&](float* to, const float* from, size_t count) {
    check(cudaMemcpyAsync(to, from, count * sizeof(float), cudaMemcpyHostToDevice, stream_), "an utterance");
  };
  bring(samples_, samples, static_cast<size_t>(frames) * shape_.samplesPerFrame());
  bring(features_, features, static_cast<size_t>(featureRows) * shape_.bands);
  const int most = bucketOf(frames, mostFrames_);
  graphs_.run({most, 0}, stream_, [&] { enqueue(most); });
  const size_t bytes = static_cast<size_t>(frames) * shape_.codebooks() * sizeof(int);
  check(cudaMemcpyAsync(results_->at(), codes_, bytes, cudaMemcpyDeviceToHost, stream_), "an utterance's codes");
  stream_.wait();
  std::memcpy(codes, results_->at(), bytes);
}

void SpeechTokenizer::enqueue(int most) {
  const size_t bytes = stagedInts_ * sizeof(int);
  check(cudaMemcpyAsync(staged_, staging(), bytes, cudaMemcpyHostToDevice, stream_), "an utterance");
  const Rows frames = {most, staged_ + FRAMES};
  enqueueSemantic(frames);
  enqueueAcoustic(most);
  enqueueCodes(frames);
  check(cudaGetLastError(), "an utterance");
}

void SpeechTokenizer::enqueueSemantic(Rows frames) {
  const float* from = features_;
  float *to = plane_, *free = other_;
  int bands = shape_.bands, most = mostFeatureRows(frames.most);
  for (size_t i = 0; i < planes_.size(); i++) {
    const int stride = shape_.timeStrides[i];
    most = ceilDivide(most, stride);
    const PlaneShape plane = {i == 0 ? 1 : shape_.convolutionChannels,
                              shape_.convolutionChannels,
                              PLANE_KERNEL,
                              bands,
                              stride,
                              LEFT_PADDING,
                              true};
    conv2d(static_cast<const float*>(planes_[i].matrix.values), planes_[i].bias, from, {most, staged_ + LEVELS + i},
           plane, to, stream_);
    bands -= PLANE_KERNEL - 1;
    from = to;
    std::swap(to, free);
  }
  apply(affine_, from, frames, nullptr, x_);
  normalize(x_, norm_, frames, x_);
  addPositions(x_, positions_, std::sqrt(static_cast<float>(shape_.width)), frames, shape_.width, stream_);
  for (const Layer& layer : layers_) enqueueLayer(layer, frames);
  nearest(semantic_, x_, frames, chosenA_, stream_);
  placeCodes(chosenA_, frames, codes_, shape_.codebooks(), stream_);
}

void SpeechTokenizer::enqueueLayer(const Layer& layer, Rows frames) {
  const int headDim = shape_.width / shape_.heads;
  const auto* tiles = reinterpret_cast<const AttentionTile*>(staged_ + tilesAt());
  const Rows tileCount = {ceilDivide(frames.most, AttentionTile::QUERIES), staged_ + TILES};
  normalize(x_, layer.first, frames, normed_);
  apply(layer.q, normed_, frames, nullptr, q_);
  apply(layer.k, normed_, frames, nullptr, k_);
  apply(layer.v, normed_, frames, nullptr, v_);
  attention(q_, k_, v_, tiles, tileCount, shape_.heads, headDim, 1.0f / std::sqrt(static_cast<float>(headDim)),
            attended_, stream_);
  apply(layer.output, attended_, frames, x_, x_);
  normalize(x_, layer.second, frames, normed_);
  apply(layer.widen, normed_, frames, nullptr, wide_);
  gelu(wide_, frames, shape_.inner, wide_, stream_);
  apply(layer.narrow, wide_, frames, x_, x_);
  normalize(x_, layer.third, frames, x_);
}

// Every window is centred: as many rows out as in, but for the strided ones.
void SpeechTokenizer::enqueueAcoustic(int most) {
  const int* counts = staged_ + LEVELS + shape_.timeStrides.size();
  int rows = most * shape_.samplesPerFrame();
  float *x = sound_, *free = filtered_;
  const auto centred = [&](const Convolution& of, const float* from, const float* alpha, int dilation, float* to) {
    const Rows all = {rows, counts};
    pad(from, alpha, all, of.channels, (of.kernel - 1) * dilation / 2, padded_, stream_);
    convolve(of, padded_, all, {1, dilation, nullptr, 1, 0}, to, stream_);
  };
  centred(first_, samples_, nullptr, 1, x);
  for (const Block& block : blocks_) {
    const Rows all = {rows, counts};
    for (int u = 0; u < UNITS; u++) {
      const Unit& unit = block.units[u];
      centred(unit.dilated, x, unit.alphaBefore, DILATIONS[u], free);
      snake(free, unit.alphaAfter, all, block.channels, free, stream_);
      apply(unit.pointwise, free, all, x, x);
    }
    pad(x, block.alpha, all, block.channels, ceilDivide(block.stride, 2), padded_, stream_);
    rows /= block.stride;
    counts++;
    convolve(block.down, padded_, {rows, counts}, {block.stride, 1, nullptr, 1, 0}, free, stream_);
    std::swap(x, free);
  }
  centred(last_, x, lastAlpha_, 1, free);
  // Where the codes find it.
  if (free != sound_)
    check(cudaMemcpyAsync(sound_, free, static_cast<size_t>(most) * shape_.latentWidth * sizeof(float),
                          cudaMemcpyDeviceToDevice, stream_),
          "latents");
}

void SpeechTokenizer::enqueueCodes(Rows frames) {
  for (int j = 0; j < shape_.stages; j++) {
    const Stage& stage = stages_[j];
    apply(stage.searchA, sound_, frames, nullptr, found_);
    nearest(stage.bookA, found_, frames, chosenA_, stream_);
    apply(stage.searchB, sound_, frames, nullptr, found_);
    nearest(stage.bookB, found_, frames, chosenB_, stream_);
    takeStage(sound_, stage.tables, chosenA_, chosenB_, frames, shape_.latentWidth, codes_, 1 + j, shape_.codebooks(),
              stream_);
  }
}

}  // namespace cuda
