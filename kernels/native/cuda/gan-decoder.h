// The streaming decoder on the device: weights, the state of all streams and workspace are planned once; a pass is one
// copy in, one graph, one copy out. The order of work is components/gan-decoder/decode.ts.
#pragma once
#include "component.h"
#include "media-launchers.h"

namespace cuda {

struct DecoderShape {
  int stages, innerSize, semanticEntries, semanticWidth, latentWidth, channels;
  std::vector<int> strides;

  int width() const { return semanticWidth + latentWidth; }
  int codebooks() const { return 1 + stages; }
  int samplesPerFrame() const;
};

struct DecoderLimits {
  int slots;         // streams that have a state
  int frames;        // of a pass
  int streamFrames;  // of one stream in a pass
};

// Per stream, those with more frames first: its slot, its frames, and how many of them complete nothing because the
// stream has just begun. An ending pass has no codes: its frames are the zeros behind the last ones.
struct DecoderPass {
  int streams;
  bool isEnding;
  const int *slots, *frames, *skipped, *codes;
};

class GanDecoder : public Component {
 public:
  static constexpr int LOOK_AHEAD = 3;

  GanDecoder(const DecoderShape& shape, const DecoderLimits& limits, size_t weightBytes);
  // A slot as a stream finds it at its beginning.
  void clear(int slot);
  // Samples of the frames that became complete, stream after stream.
  void step(const DecoderPass& pass, float* samples);
  size_t bytes() const override { return weightBytes_ + stateBytes_ + workBytes_; }
  const DecoderShape& shape() const { return shape_; }
  const DecoderLimits& limits() const { return limits_; }

 private:
  static constexpr int KERNEL = 2 * LOOK_AHEAD + 1;
  static constexpr int MEMORIES = 2, UNITS = 3, DILATIONS[UNITS] = {1, 3, 9};

  struct MemoryLayer {
    LstmWeights lstm;
    const float *normWeight, *normBias;
    size_t h, c;  // places in a slot's state
  };
  struct Unit {
    const float *alphaBefore, *alphaAfter;
    Convolution dilated;
    Affine pointwise;
    size_t kept;
  };
  struct Block {
    const float* alpha;
    Affine upsample;
    int inputs, outputs, stride, perFrame;  // outputs of a frame
    Unit units[UNITS];
  };
  // Where things lie in the staging memory, in integers.
  struct Places {
    size_t counts, slots, begins, completeBegins, active, windows, ordinals, codes, end;
  };
  // Counts that the kernels of a graph read; behind LEVELS one for the rows before and behind every block.
  enum Count { FRAMES, STREAMS, LEVELS };

  void planState();
  template <class Take>
  void planWork(Take&& take);
  void readWeights() override;
  Convolution convolution(int outputs, int channels, int kernel);
  int fill(const DecoderPass& pass);
  void enqueue(int streams, int frames, int streamFrames, bool isEnding);
  void enqueueBlock(const Block& block, int level, StreamRows complete, int frames, int streamFrames, float* x,
                    float* y);
  // A convolution over what streams keep and their new rows, bent on their way where there is an alpha.
  void convolveKept(const Convolution& convolution, size_t kept, int dilation, StreamRows streams, int streamFrames,
                    const float* x, const float* alpha, Rows rows, WindowLayout layout, float* out);
  const int* counts() const { return staged_ + places_.counts; }
  Rows rowsOf(int level, int frames) const;

  DecoderShape shape_;
  DecoderLimits limits_;
  Places places_{};
  size_t slotNumbers_ = 0;  // floats of a slot's state
  size_t weightBytes_, stateBytes_ = 0, workBytes_ = 0;
  Memory state_;
  std::unique_ptr<Arena> work_;
  std::unique_ptr<HostMemory> staging_, results_;
  Stream stream_;

  CodeTables tables_{};
  MemoryLayer memories_[MEMORIES]{};
  Convolution first_{}, last_{};
  size_t firstKept_ = 0, lastKept_ = 0;
  const float* lastAlpha_ = nullptr;
  std::vector<Block> blocks_;

  int* staged_ = nullptr;  // on the device
  float *frames_, *remembered_, *h_, *inputs_, *recurrent_, *joined_, *x_, *y_, *filtered_, *samples_;
  Graphs graphs_;
};

}  // namespace cuda
