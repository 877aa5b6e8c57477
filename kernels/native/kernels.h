// What a SIMD level brings, as plain functions over plain memory: the border between level code (compiled once per
// level) and the addon (compiled for the baseline). No object crosses it.
#pragma once
#include <cstddef>
#include <cstdint>

enum class WeightType : int { f32 = 0, bf16 = 1, int8 = 2 };

// More could leave the 32 bits of a sum of int8 products.
constexpr int MAX_INT8_INPUTS = 65536;

// The weights of y = x·Wᵀ + b as one level reads them: panels of a few vectors of outputs, inputs outermost inside a
// panel. `inputs` counts all taps of a window.
struct Matrix {
  int outputs;
  int inputs;
  WeightType type;
  void* panels;       // matrixBytes() bytes, 64-byte aligned.
  const float* bias;  // [outputs] or null.
};

// Where a product finds its rows: row r, tap k starts at x + r·rowStride + k·tapStride and is tapWidth long; a linear
// layer has one tap, a convolution several.
struct Windows {
  const float* x;
  size_t rowStride;
  int taps;
  size_t tapStride;
  int tapWidth;
};

struct Expert {
  Matrix gate, up, down;
};

struct LatentShape {
  int heads, nope, rope, value, rank;
};

enum class CacheType : int { f32 = 0, bf16 = 1, int8 = 2 };

// Elements of a row of `width` numbers; behind those of int8 stand two floats, the scales of latent and key.
static inline size_t rowElements(CacheType type, size_t width) {
  return type == CacheType::int8 ? width + 2 * sizeof(float) : width;
}

// Consecutive query rows of one sequence and the cache rows they read.
struct LatentSegment {
  int rows, start;
  const void* const* pages;
  int pageRows;
  size_t offset;  // Elements before the first row, in every page.
  CacheType type;
};

// Rows of one segment that go through its cache together: `first` … first + rows − 1 of it, rows `at` … of the step.
struct QueryRows {
  const LatentSegment* segment;
  int first, rows, at;
};

// Twiddles by stage, see fft/cpu.cpp.
struct FftPlan {
  int size;
  const int32_t* order;
  const double* cosine;
  const double* sine;
};

struct FbankPlan {
  FftPlan fft;
  const double* window;
  int frameLength, frameShift;
  double scale, preEmphasis, floor;
  int bins;
  const int32_t* extents;  // Per bin: first spectrum bin, how many.
  const double* weights;   // Of all bins, one after the other.
};

struct VoiceFramePlan {
  FftPlan fft;
  const double* window;
  const int32_t* edges;  // Of the bands, then where what is above them begins and ends.
  int frame, factor, lowestBin, lowestToneBin;
};
constexpr int VOICE_BANDS = 12;
constexpr int VOICE_MEASURES = VOICE_BANDS + 6;
constexpr int VOICE_WINDOW = 160;
constexpr int VOICE_SHORTEST_LAG = 10;
constexpr int VOICE_LONGEST_LAG = 60;
constexpr int VOICE_LAGS = 52;
constexpr int VOICE_PITCH = VOICE_WINDOW + VOICE_SHORTEST_LAG + VOICE_LAGS;

struct KernelTable {
  const char* name;
  int lanes;

  size_t (*matrixBytes)(int outputs, int inputs, WeightType type);
  // scales [outputs] with int8 weights, else null.
  void (*packMatrix)(const void* weight, const float* scales, const Matrix& matrix);
  // A part of it: `rows` are the weights of panels firstPanel … endPanel − 1, whose outputs are panelWidth each. Not
  // int8.
  void (*packPanels)(const void* rows, const Matrix& matrix, int firstPanel, int endPanel);
  int panelWidth;
  int (*panelCount)(const Matrix& matrix);
  // Panels firstPanel … endPanel − 1 of the product; each output is one chain of additions over the inputs, so that
  // rows, panels and threads may be split anywhere.
  void (*multiply)(const Matrix& matrix, const Windows& windows, int rows, float* out, size_t outStride, int firstPanel,
                   int endPanel);

  void (*rmsNorm)(const float* x, int rows, int width, const float* weight, float epsilon, float* out);
  void (*layerNorm)(const float* x, int rows, int width, const float* weight, const float* bias, float epsilon,
                    float* out);
  void (*swiglu)(const float* gate, const float* up, size_t count, float* out);
  void (*gelu)(const float* x, size_t count, float* out);
  void (*relu6)(const float* x, size_t count, float* out);
  void (*residual)(float* x, size_t count, const float* branch, const float* scale, int width);
  void (*snake)(const float* x, int rows, int channels, const float* alpha, float* out);

  // Latent attention in three steps, each of which may be cut by heads, the second also by groups of rows; what lies
  // between them is [rows × heads × latentWidth]. keyRows per head [nope × rank], valueRows per head [rank × value].
  int (*latentWidth)(const LatentShape& shape);
  void (*latentQueries)(const float* keyRows, const LatentShape& shape, const float* q, int rows, int firstHead,
                        int endHead, float* queries);
  void (*latentMix)(const LatentShape& shape, const QueryRows* groups, int groupCount, int firstHead, int endHead,
                    const float* queries, float* mixed);
  void (*latentValues)(const float* valueRows, const LatentShape& shape, const float* mixed, int rows, int firstHead,
                       int endHead, float* out);
  // turns [rows × (pairs cosines, pairs sines)]; rotate turns adjacent pairs in place.
  void (*rotaryTurns)(int rows, int pairs, const float* frequencies, const int32_t* positions, float* turns);
  void (*rotate)(float* x, int rows, size_t stride, size_t offset, int heads, size_t headStride, int pairs,
                 const float* turns);
  void (*route)(const float* logits, int rows, int experts, const float* selectionBias, int topK, float factor,
                int32_t* indices, float* weights);
  void (*experts)(const Expert* experts, int expertCount, int hidden, int inner, const float* x, int rows, int topK,
                  const int32_t* indices, const float* weights, float* out);
  // One expert on rows of its own; out += weight · y in the rounding of `experts`.
  void (*expertRows)(const Expert& expert, const float* x, int rows, float* out);
  void (*addScaled)(float* out, const float* y, float weight, int width);
  int (*argmax)(const float* values, int count);
  void (*penalise)(float* logits, int count, const int32_t* history, int historyCount, double factor);

  void (*attention)(const float* q, const float* k, const float* v, int rows, int heads, int headDim, float scale,
                    float* out);
  void (*rotary2d)(const float* x, int rows, int columns, int heads, int headDim, const float* turns, float* out);

  void (*fsmn)(const float* kernel, int width, int taps, int dilation, const float* x, const float* g, int rows,
               float* out);
  void (*lstm)(const Matrix& input, const Matrix& recurrent, int hidden, const float* x, int rows, float* h, float* c,
               float* out);

  void (*fft)(const FftPlan& plan, const double* frame, int frameLength, double* real, double* imaginary);
  void (*powerSpectrum)(const FftPlan& plan, const double* frame, int frameLength, double* power);
  void (*fbank)(const FbankPlan& plan, const float* samples, int frames, float* out);
  // history [size] and pitch [VOICE_PITCH] are the stream's; measures as kernels/voice-frame/index.ts has them.
  void (*voiceFrame)(const VoiceFramePlan& plan, const float* samples, double* history, double* pitch,
                     double* measures);
  // columns [width × rows]
  void (*doubleLinear)(const double* columns, const double* bias, int rows, int width, const double* x, double* out);
  void (*nearest)(const double* codebook, const double* squares, int entries, int width, const float* x, int rows,
                  int32_t* indices);
  int (*resample)(const double* taps, int up, int down, int width, const float* samples, size_t sampleCount,
                  size_t window, int phase, float* out, size_t most);
  void (*bicubicHorizontal)(const uint8_t* data, int width, int height, int channels, int outWidth,
                            const int32_t* first, const int32_t* count, const int32_t* weights, int stride,
                            uint8_t* out);
  void (*bicubicVertical)(const uint8_t* data, int rowLength, int outHeight, const int32_t* first, const int32_t* count,
                          const int32_t* weights, int stride, uint8_t* out);
  void (*cmvn)(const float* x, int rows, int width, const float* mean, const float* deviation, float* out);

  void (*splice)(const float* frames, int first, int count, int width, int left, int right, int stride, int firstVector,
                 int vectors, float* out);
  void (*patchify)(const uint8_t* const* frames, int frameCount, int height, int width, int patch, const float* levels,
                   float* out);
  void (*resizeBilinear)(const float* x, int rows, int columns, int width, int outRows, int outColumns, float* out);
  void (*yuvToRgb)(const uint8_t* y, const uint8_t* u, const uint8_t* v, int width, int height, uint8_t* out);
  void (*g711Decode)(const uint8_t* bytes, size_t count, const float* table, float* out);
  void (*g711Encode)(const float* samples, size_t count, const uint8_t* table, uint8_t* out);

  // The machine's limits, for the benchmark.
  double (*spinMultiplyAdds)(int rounds);
  double (*readMemory)(const float* from, size_t count);
};

// Memory of the calling thread that kernels may use until they return; `slot` tells nested users apart.
constexpr int SCRATCH_SLOTS = 14;
float* scratch(int slot, size_t floats);

// Told about a condition of a kernel that does not hold; never returns.
[[noreturn]] void kernelFailed(const char* condition, const char* file, int line);
#define KERNEL_ASSERT(condition)                                    \
  do {                                                              \
    if (!(condition)) kernelFailed(#condition, __FILE__, __LINE__); \
  } while (0)
