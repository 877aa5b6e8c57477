// The vision encoder on the device, from patches to the language model's vectors: weights and workspace are planned
// once; a pass takes several units. The order of work is components/vision-encoder/.
#pragma once
#include "component.h"
#include "media-launchers.h"

namespace cuda {

struct VisionShape {
  int layers, hidden, heads, intermediate, stillInputs, pairInputs, adaptor, output;
  int positions;  // rows or columns of a unit
  bool hasQkvBias, hasPatchBias, hasQkNorms;
  float epsilon;

  int headDim() const { return hidden / heads; }
};

struct VisionLimits {
  int rows, units;  // of a pass
};

// Units that are all stills, or all pairs; their grids [units × (rows, columns)], columns even, and their patches one
// unit's after the other.
struct VisionPass {
  int units;
  bool isStill;
  const int* grids;
  const float* patches;
};

class VisionEncoder : public Component {
 public:
  VisionEncoder(const VisionShape& shape, const VisionLimits& limits, size_t weightBytes);
  // [tokens × output]: half as many tokens as patches.
  void step(const VisionPass& pass, float* tokens);
  size_t bytes() const override { return weightBytes_ + workBytes_; }
  const VisionShape& shape() const { return shape_; }
  const VisionLimits& limits() const { return limits_; }

 private:
  struct Block {
    const float *norm, *scale, *qNorm, *kNorm, *secondNorm, *innerNorm, *secondScale;
    Affine q, k, v, output, gate, up, down;
  };
  enum Count { ROWS, TOKENS, TILES, COUNTS };
  // Where things lie in the staging memory, in integers.
  struct Places {
    size_t counts, places, tiles, end;
  };

  template <class Take>
  void planWork(Take& memory);
  void readWeights() override;
  void readBlock(Block& block);
  int mostTiles(int rows) const { return rows / AttentionTile::QUERIES + limits_.units; }
  int fill(const VisionPass& pass);
  void enqueue(int rows, bool isStill);
  void enqueueBlock(const Block& block, Rows rows, Rows tiles);
  void apply(const Affine& affine, const float* x, Rows rows, float* out) {
    linear(affine.matrix, affine.bias, x, rows, nullptr, out, stream_);
  }
  int* staging() const { return reinterpret_cast<int*>(staging_->at()); }

  VisionShape shape_;
  VisionLimits limits_;
  Places places_{};
  size_t weightBytes_, workBytes_ = 0;
  std::unique_ptr<Arena> work_;
  std::unique_ptr<HostMemory> staging_, results_;
  Stream stream_;

  const float* turns_ = nullptr;
  Affine still_{}, pair_{};
  std::vector<Block> blocks_;
  const float *mergedWeight_ = nullptr, *mergedBias_ = nullptr;
  Affine first_{}, second_{}, last_{};

  int* staged_ = nullptr;  // on the device
  float *patches_, *x_, *normed_, *q_, *k_, *v_, *attended_, *inner_, *up_, *tokens_;
  Graphs graphs_;
};

}  // namespace cuda
