// The audio encoder's network on the device, from spliced vectors to the language model's and the logits of captions:
// weights, the state of all streams and workspace are planned once; a pass is one copy in, one graph, one copy out. The
// order of work is components/audio-encoder/encoder-stream.ts.
#pragma once
#include "component.h"
#include "media-launchers.h"

namespace cuda {

struct EncoderShape {
  int inputs, hidden, width, layers, rightLayers, left, right, dilation, after, projected, captions;

  int rightOf(int layer) const { return layer >= layers - rightLayers ? right * dilation : 0; }
  // Vectors that a stream holds back until more come, or it ends.
  int lookAhead() const { return rightLayers * right * dilation; }
};

struct EncoderLimits {
  int slots;    // streams that have a state
  int streams;  // of a pass
  int rows;     // spliced vectors of a pass
};

// Per stream: its slot, its new vectors, whether it ends, and how many vectors every layer has had of it, which counts
// up to what the layer holds back ([streams × layers], changed).
struct EncoderPass {
  int streams;
  const int *slots, *rows, *isEnding;
  int* seen;
  const float* spliced;
};

class AudioEncoder : public Component {
 public:
  AudioEncoder(const EncoderShape& shape, const EncoderLimits& limits, size_t weightBytes);
  // A slot as a stream finds it at its beginning, or as another one is.
  void clear(int slot);
  void copy(int from, int to);
  // Vectors of every stream, one stream's after the other, as many as `counts` says then.
  void step(const EncoderPass& pass, int* counts, float* vectors, float* captions);
  size_t bytes() const override { return weightBytes_ + stateBytes_ + workBytes_; }
  const EncoderShape& shape() const { return shape_; }
  const EncoderLimits& limits() const { return limits_; }
  int mostRows() const { return limits_.rows + limits_.streams * shape_.lookAhead(); }

 private:
  struct Layer {
    const float *memoryWeight, *memoryBias, *kernel, *normWeight, *normBias;
    Affine widen, narrow;
    FsmnShape memory;
    size_t keptG, keptX;  // places in a slot's state
  };
  // Where things lie in the staging memory, in integers. Of each layer one after the other: `sources` [streams + 1],
  // vectors that come; `begins` [streams + 1], with the zeros behind the last one of a stream that ends; `x` and `g`
  // [rows], as FsmnRows.
  struct Places {
    size_t counts, slots, sources, begins, x, g, end;
  };

  template <class Take>
  void planWork(Take& memory);
  void readWeights() override;
  int fill(const EncoderPass& pass, int* given);
  int fillLayer(const EncoderPass& pass, int layer, const int* coming, int* given);
  void enqueue(int streams, int rows, int mostRows);
  void enqueueLayer(const Layer& layer, int index, int streams, int mostRows);
  void widened(const Affine& affine, const float* x, Rows rows, float* out);
  Rows rowsOf(int layer, int most) const { return {most, staged_ + places_.counts + 1 + layer}; }
  int* staging() const { return reinterpret_cast<int*>(staging_->at()); }

  EncoderShape shape_;
  EncoderLimits limits_;
  Places places_{};
  size_t slotNumbers_ = 0;
  size_t weightBytes_, stateBytes_ = 0, workBytes_ = 0;
  Memory state_;
  std::unique_ptr<Arena> work_;
  std::unique_ptr<HostMemory> staging_, results_;
  Stream stream_;

  Affine before_{}, project_{}, output_{}, captions_{};
  Matrix narrow_{};
  std::vector<Layer> layers_;
  std::vector<Affine> after_;

  int* staged_ = nullptr;  // on the device
  float *spliced_, *x_, *y_, *normed_, *joinedX_, *joinedG_, *wide_, *deep_, *vectors_, *logits_;
  Graphs graphs_;
};

}  // namespace cuda
