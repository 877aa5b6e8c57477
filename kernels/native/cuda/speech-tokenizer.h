// The codec's encoder on the device, from a waveform and its features to the codes of its frames: weights and workspace
// are planned once, an utterance is a pass. The order of work is components/speech-tokenizer/.
#pragma once
#include "component.h"
#include "media-launchers.h"

namespace cuda {

struct TokenizerShape {
  int bands, convolutionChannels, width, heads, inner, layers, entries;  // semantic
  int channels, latentWidth, stages, stageSize, searchWidth;             // acoustic
  std::vector<int> timeStrides, strides;

  int codebooks() const { return 1 + stages; }
  int samplesPerFrame() const;
};

class SpeechTokenizer : public Component {
 public:
  SpeechTokenizer(const TokenizerShape& shape, int mostFrames, size_t weightBytes);
  // samples [frames × samplesPerFrame], features [feature rows × bands]; codes [frames × codebooks]
  void step(int frames, const float* samples, int featureRows, const float* features, int* codes);
  size_t bytes() const override { return weightBytes_ + workBytes_; }
  const TokenizerShape& shape() const { return shape_; }
  int mostFrames() const { return mostFrames_; }
  // Frames that come of so many rows of features.
  int framesOf(int featureRows) const;

 private:
  static constexpr int UNITS = 3, DILATIONS[UNITS] = {1, 3, 9}, KERNEL = 7, LAST_KERNEL = 3, PLANE_KERNEL = 3;

  struct Norm {
    const float *weight, *bias;
  };
  struct Layer {
    Norm first, second, third;
    Affine q, k, v, output, widen, narrow;
  };
  struct Unit {
    const float *alphaBefore, *alphaAfter;
    Convolution dilated;
    Affine pointwise;
  };
  struct Block {
    Unit units[UNITS];
    const float* alpha;
    Convolution down;
    int channels, stride;
  };
  struct Stage {
    Affine searchA, searchB;
    NearestBook bookA, bookB;
    StageTables tables;
  };
  enum Count { FRAMES, TILES, LEVELS };  // behind LEVELS: rows of each convolution of features, then of each block

  // Rows of features that frames can have: there is one for every hop.
  int mostFeatureRows(int frames) const;
  template <class Take>
  void planWork(Take& memory);
  void readWeights() override;
  void readSemantic();
  void readAcoustic();
  Norm norm(int width);
  Convolution convolution(int outputs, int channels, int kernel);
  NearestBook book(int entries, int width);
  void fill(int frames, int featureRows);
  void enqueue(int frames);
  void enqueueSemantic(Rows frames);
  void enqueueLayer(const Layer& layer, Rows frames);
  void enqueueAcoustic(int frames);
  void enqueueCodes(Rows frames);
  void apply(const Affine& affine, const float* x, Rows rows, const float* addend, float* out) {
    linear(affine.matrix, affine.bias, x, rows, addend, out, stream_);
  }
  void normalize(const float* x, Norm norm, Rows rows, float* out) {
    layerNorm(x, norm.weight, norm.bias, rows, shape_.width, 1e-5f, out, stream_);
  }
  int* staging() const { return reinterpret_cast<int*>(staging_->at()); }
  size_t tilesAt() const;

  TokenizerShape shape_;
  int mostFrames_;
  size_t weightBytes_, workBytes_ = 0, stagedInts_ = 0;
  std::unique_ptr<Arena> work_;
  std::unique_ptr<HostMemory> staging_, results_;
  Stream stream_;

  std::vector<Affine> planes_;  // of convolutions over features: as matrices [outputs × inputs · kernel²]
  Affine affine_{};
  Norm norm_{};
  const float* positions_ = nullptr;
  std::vector<Layer> layers_;
  NearestBook semantic_{};
  Convolution first_{}, last_{};
  std::vector<Block> blocks_;
  const float* lastAlpha_ = nullptr;
  std::vector<Stage> stages_;

  int* staged_ = nullptr;  // on the device
  float *samples_, *features_, *plane_, *other_, *x_, *normed_, *q_, *k_, *v_, *attended_, *wide_;
  float *sound_, *padded_, *filtered_, *found_;
  int *chosenA_, *chosenB_, *codes_;
  Graphs graphs_;
};

}  // namespace cuda
