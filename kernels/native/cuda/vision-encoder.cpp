#include "vision-encoder.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace cuda {

namespace {
constexpr float MERGED_EPSILON = 1e-5f;
}  // namespace

VisionEncoder::VisionEncoder(const VisionShape& shape, const VisionLimits& limits, size_t weightBytes)
    : Component(weightBytes), shape_(shape), limits_(limits), weightBytes_(weightBytes) {
  const size_t tiles = mostTiles(limits.rows);
  places_.places = COUNTS;
  // Tiles are read as whole structures.
  constexpr size_t TILE = sizeof(AttentionTile) / sizeof(int);
  places_.tiles = (places_.places + 2 * static_cast<size_t>(limits.rows) + TILE - 1) / TILE * TILE;
  places_.end = places_.tiles + tiles * TILE;
  Plan plan;
  planWork(plan);
  workBytes_ = plan.bytes();
  work_ = std::make_unique<Arena>(workBytes_);
  planWork(*work_);
  staging_ = std::make_unique<HostMemory>(places_.end * sizeof(int));
  std::memset(staging_->at(), 0, places_.end * sizeof(int));
  results_ = std::make_unique<HostMemory>(static_cast<size_t>(limits.rows / 2) * shape.output * sizeof(float));
}

template <class Take>
void VisionEncoder::planWork(Take& memory) {
  const size_t rows = limits_.rows, hidden = shape_.hidden;
  // The projector's layers take what the blocks do not need any more.
  const size_t inner = std::max(rows * shape_.intermediate, rows / 2 * shape_.adaptor);
  const auto floats = [&](size_t count) { return memory.template take<float>(count); };
  staged_ = memory.template take<int>(places_.end);
  patches_ = floats(rows * std::max(shape_.stillInputs, shape_.pairInputs));
  for (float** of : {&x_, &normed_, &q_, &k_, &v_, &attended_}) *of = floats(rows * hidden);
  inner_ = floats(inner);
  up_ = floats(inner);
  tokens_ = floats(rows / 2 * shape_.output);
}

// In the order of deviceTensors() of components/vision-encoder/device-weights.ts.
void VisionEncoder::readWeights() {
  const auto biased = [this](int outputs, int inputs, bool hasBias) {
    const Matrix weight = matrix(outputs, inputs);
    return Affine{weight, hasBias ? floats(outputs) : nullptr};
  };
  turns_ = floats(shape_.positions * shape_.headDim() / 2);
  pair_ = biased(shape_.hidden, shape_.pairInputs, shape_.hasPatchBias);
  still_ = biased(shape_.hidden, shape_.stillInputs, shape_.hasPatchBias);
  blocks_.resize(shape_.layers);
  for (Block& block : blocks_) readBlock(block);
  const int merged = 2 * shape_.hidden;
  mergedWeight_ = floats(merged);
  mergedBias_ = floats(merged);
  first_ = affine(shape_.adaptor, merged);
  second_ = affine(shape_.adaptor, shape_.adaptor);
  last_ = affine(shape_.output, shape_.adaptor);
}

void VisionEncoder::readBlock(Block& block) {
  const int hidden = shape_.hidden, intermediate = shape_.intermediate;
  block.norm = floats(hidden);
  const Matrix qkv = matrix(3 * hidden, hidden);
  const float* bias = shape_.hasQkvBias ? floats(3 * hidden) : nullptr;
  // One matrix after the other.
  Affine* parts[] = {&block.q, &block.k, &block.v};
  for (int i = 0; i < 3; i++) {
    const size_t from = static_cast<size_t>(i) * hidden * hidden * (qkv.isBfloat16 ? sizeof(Bfloat16) : sizeof(float));
    const void* values = static_cast<const char*>(qkv.values) + from;
    *parts[i] = {{values, hidden, hidden, qkv.isBfloat16}, bias ? bias + i * hidden : nullptr};
  }
  block.qNorm = shape_.hasQkNorms ? floats(hidden) : nullptr;
  block.kNorm = shape_.hasQkNorms ? floats(hidden) : nullptr;
  block.output = affine(hidden, hidden);
  block.scale = floats(hidden);
  block.secondNorm = floats(hidden);
  block.gate = affine(intermediate, hidden);
  block.up = affine(intermediate, hidden);
  block.innerNorm = floats(intermediate);
  block.down = affine(hidden, intermediate);
  block.secondScale = floats(hidden);
}

int VisionEncoder::fill(const VisionPass& pass) {
  int* counts = staging();
  int* places = staging() + places_.places;
  auto* tiles = reinterpret_cast<AttentionTile*>(staging() + places_.tiles);
  int row = 0, tile = 0;
  for (int unit = 0; unit < pass.units; unit++) {
    const int begin = row, columns = pass.grids[2 * unit + 1], count = pass.grids[2 * unit] * columns;
    for (int i = 0; i < count; i++, row++) {
      places[2 * row] = i / columns;
      places[2 * row + 1] = i % columns;
    }
    for (int i = 0; i < count; i += AttentionTile::QUERIES)
      tiles[tile++] = {begin + i, std::min(AttentionTile::QUERIES, count - i), begin, count};
  }
  counts[ROWS] = row;
  counts[TOKENS] = row / 2;
  counts[TILES] = tile;
  return row;
}

void VisionEncoder::step(const VisionPass& pass, float* tokens) {
  const int rows = fill(pass), inputs = pass.isStill ? shape_.stillInputs : shape_.pairInputs;
  check(cudaMemcpyAsync(patches_, pass.patches, static_cast<size_t>(rows) * inputs * sizeof(float),
                        cudaMemcpyHostToDevice, stream_),
        "patches");
  const int most = bucketOf(rows, limits_.rows);
  graphs_.run({most, pass.isStill}, stream_, [&] { enqueue(most, pass.isStill); });
  const size_t bytes = static_cast<size_t>(rows / 2) * shape_.output * sizeof(float);
  check(cudaMemcpyAsync(results_->at(), tokens_, bytes, cudaMemcpyDeviceToHost, stream_), "a pass's vectors");
  stream_.wait();
  std::memcpy(tokens, results_->at(), bytes);
}

void VisionEncoder::enqueue(int most, bool isStill) {
  check(cudaMemcpyAsync(staged_, staging(), places_.end * sizeof(int), cudaMemcpyHostToDevice, stream_), "a pass");
  const Rows rows = {most, staged_ + ROWS}, tiles = {mostTiles(most), staged_ + TILES};
  apply(isStill ? still_ : pair_, patches_, rows, x_);
  for (const Block& block : blocks_) enqueueBlock(block, rows, tiles);
  // Two neighbours lie side by side: a row of the merged ones is two of the patches.
  const Rows tokens = {(most + 1) / 2, staged_ + TOKENS};
  const int adaptor = shape_.adaptor;
  float *merged = q_, *first = inner_, *second = up_;
  layerNorm(x_, mergedWeight_, mergedBias_, tokens, 2 * shape_.hidden, MERGED_EPSILON, merged, stream_);
  apply(first_, merged, tokens, first);
  gelu(first, tokens, adaptor, first, stream_);
  apply(second_, first, tokens, second);
  gelu(second, tokens, adaptor, second, stream_);
  apply(last_, second, tokens, tokens_);
  check(cudaGetLastError(), "a pass");
}

void VisionEncoder::enqueueBlock(const Block& block, Rows rows, Rows tiles) {
  const int hidden = shape_.hidden, intermediate = shape_.intermediate, heads = shape_.heads;
  const int headDim = shape_.headDim();
  const auto norm = [&](float* x, const float* weight, int width, float* out) {
    rmsNorm(x, weight, rows, width, shape_.epsilon, out, stream_);
  };
  norm(x_, block.norm, hidden, normed_);
  apply(block.q, normed_, rows, q_);
  apply(block.k, normed_, rows, k_);
  apply(block.v, normed_, rows, v_);
  for (float* turned : {q_, k_}) rotary2d(turned, turns_, staged_ + places_.places, rows, heads, headDim, stream_);
  if (block.qNorm) {
    norm(q_, block.qNorm, hidden, q_);
    norm(k_, block.kNorm, hidden, k_);
  }
  const auto* all = reinterpret_cast<const AttentionTile*>(staged_ + places_.tiles);
  attention(q_, k_, v_, all, tiles, heads, headDim, 1.0f / std::sqrt(static_cast<float>(headDim)), attended_, stream_);
  apply(block.output, attended_, rows, normed_);
  residual(x_, normed_, block.scale, rows, hidden, stream_);
  norm(x_, block.secondNorm, hidden, normed_);
  apply(block.gate, normed_, rows, inner_);
  apply(block.up, normed_, rows, up_);
  swiglu(inner_, up_, rows, intermediate, inner_, stream_);
  norm(inner_, block.innerNorm, intermediate, inner_);
  apply(block.down, inner_, rows, normed_);
  residual(x_, normed_, block.secondScale, rows, hidden, stream_);
}

}  // namespace cuda
