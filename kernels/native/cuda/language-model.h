// The language model on the device: weights, pages and workspace are planned once, a step is one copy in, one graph and
// one copy out. The order of work is components/language-model/decoder-layer.ts.
#pragma once
#include <memory>

#include "component.h"

namespace cuda {

struct ModelShape {
  int layers, hidden, queryRank, ffn, expertFfn, routedExperts, identityExperts, topK, vocabSize;
  int codeVocabSize;  // 0 without speech
  int wait;           // the wait token, or −1
  LatentShape latent;
  float routingFactor, normEpsilon, latentNormEpsilon;
  double codePenalty;

  int experts() const { return routedExperts + identityExperts; }
  int tables() const { return codeVocabSize > 0 ? 1 + CODEBOOKS : 1; }
  static constexpr int CODEBOOKS = 4;
  static constexpr int WINDOW = 30;  // entries of a history that count
};

struct ModelLimits {
  int rows;     // of a step
  int sampled;  // of these, whose predictions are wanted
  int pages;    // of all sequences together
  int pageRows;
  int sequencePages;  // of one sequence
  Parts parts;
  bool isCacheBfloat16;
};

// One step's description as the host gives it. Per row: ids [tables], feature (its row of `vectors`, or −1), sequence
// (its line of `table`), position. Per sampled row, speaking ones first: the row, histories, and how to choose.
struct StepInput {
  int rows, sequences, sampled, speaking, features;
  const int *ids, *featureOf, *sequenceOf, *positions, *table;
  const float* vectors;
  const int *chosen, *textHistories, *textCounts, *codeHistories, *codeCounts;
  const double* textFactors;
  const double* requests;  // [sampled × 4]: temperature, top-p, top-k, draw
};

struct StepOutput {
  int *text, *codes;
  float* waitShares;
};

class LanguageModel : public Component {
 public:
  LanguageModel(const ModelShape& shape, const ModelLimits& limits, size_t weightBytes);

  void step(const StepInput& input, const StepOutput& output);
  const ModelShape& shape() const { return shape_; }
  const ModelLimits& limits() const { return limits_; }
  size_t bytes() const override { return weightBytes_ + workBytes_ + pageBytes_; }

 private:
  struct Block {
    const float *inputNorm, *postNorm, *queryNorm, *latentNorm;
    Matrix queryDown, queryUp, latentDown, expansion, output, gate, up, down;
  };
  struct Layer {
    Block blocks[2];
    Matrix router;
    const float* routerBias;
    Experts experts;
  };
  // Where things of a step lie, in the staging memory of the host and at the same offset on the device.
  struct Staging {
    size_t header, ids, featureOf, sequenceOf, positions, table, chosen, textHistories, textCounts, codeHistories,
        codeCounts, textFactors, codeFactors, requests, bytes;
  };

  static Staging stagingOf(const ModelShape& shape, const ModelLimits& limits);
  size_t planWork();
  // In the order of deviceTensors() of components/language-model/device-weights.ts.
  void readWeights() override;
  void readBlock(Block& block);
  void fill(const StepInput& input);
  void enqueueStep(int mostRows, int mostSampled);
  void enqueueLayer(const Layer& layer, int index, Rows rows);
  void enqueueAttention(const Block& block, int plane, Rows rows);
  void enqueueChoices(Rows rows, Rows speaking);

  template <class T>
  T* staged(size_t offset) const {
    return reinterpret_cast<T*>(staging_.at() + offset);
  }
  template <class T>
  T* onDevice(size_t offset) const {
    return reinterpret_cast<T*>(device_ + offset);
  }

  ModelShape shape_;
  ModelLimits limits_;
  size_t weightBytes_, workBytes_, pageBytes_;
  Staging places_;
  Arena work_;
  Memory pages_;
  HostMemory staging_;
  HostMemory results_;
  Stream main_, side_;
  Event begun_, joined_;

  std::vector<Layer> layers_;
  Tables tables_{};
  const float* finalNorm_ = nullptr;
  Matrix textHead_{};
  Matrix codeHeads_[ModelShape::CODEBOOKS]{};
  Matrix cascade_[ModelShape::CODEBOOKS - 1]{};
  const float* frequencies_ = nullptr;

  // Workspace.
  char* device_;
  float *vectors_, *x_, *early_, *normed_, *narrow_, *query_, *down_, *absorbed_, *partial_, *attended_, *inner_;
  float *routerLogits_, *routerWeights_, *expertInner_, *answers_, *mixed_;
  int* indices_;
  Groups groups_;
  float *last_, *final_, *logits_, *codeLogits_, *shares_;
  uint64_t* order_;
  int *text_, *codes_;

  Graphs graphs_;
};

}  // namespace cuda
