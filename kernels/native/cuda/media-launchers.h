// The operations of sound and pictures on the device; as in launchers.h.
#pragma once
#include "launchers.h"

namespace cuda {

// Rows of several streams, one stream's after the other, `perFrame` of them for every frame of the stream.
struct StreamRows {
  int most;
  const int* actual;
  const int* slots;   // of a stream's state, per stream
  const int* begins;  // [streams + 1]: frames before the stream's
  int perFrame;

  __device__ int count() const { return actual ? *actual : most; }
  __device__ int64_t begin(int stream) const { return static_cast<int64_t>(begins[stream]) * perFrame; }
};

// The last rows that a stream keeps of a layer, at the same place in the state of every slot.
struct Kept {
  float* first;
  int64_t slotStride;
  int rows, width;
  __device__ float* of(int slot) const { return first + slot * slotStride; }
};

// `mostRows` of one stream in a pass; `alpha` null or as in `snake`. `sources` null, or [streams + 1] like the streams'
// begins: where x has fewer rows than the pass, zeros stand for the last ones.
void joinKept(Kept kept, StreamRows streams, int mostRows, const float* x, const int* sources, const float* alpha,
              float* joined, cudaStream_t stream);
void keepLast(Kept kept, StreamRows streams, const float* joined, cudaStream_t stream);

void relu6(const float* x, Rows rows, int width, float* out, cudaStream_t stream);
void gelu(const float* x, Rows rows, int width, float* out, cudaStream_t stream);
void snake(const float* x, const float* alpha, Rows rows, int channels, float* out, cudaStream_t stream);

__host__ __device__ constexpr int paddedChannels(int channels) { return ceilDivide(channels, 16) * 16; }

struct Convolution {
  const float* weights;  // [outputs × kernel × padded(channels)]
  const float* bias;     // or null
  int outputs, channels, kernel;
};

// The window of output row r begins at row r · stride + shifts[r / perShift] · shiftRows of x; without shifts the last
// term is left out. Its taps are `dilation` rows apart.
struct WindowLayout {
  int stride, dilation;
  const int* shifts;
  int perShift, shiftRows;
};
void convolve(const Convolution& convolution, const float* x, Rows rows, WindowLayout layout, float* out,
              cudaStream_t stream);

struct FsmnShape {
  int width, taps, dilation;
};
// Where row 0, 1, … of the output finds its row of x, and its first one of g.
struct FsmnRows {
  const int *x, *g;
};
void fsmn(const float* kernel, FsmnShape shape, const float* x, const float* g, FsmnRows from, Rows rows, float* out,
          cudaStream_t stream);

void rotary2d(float* x, const float* turns, const int* places, Rows rows, int heads, int headDim, cudaStream_t stream);

// Up to 32 rows of a unit that attend to all rows of it.
struct AttentionTile {
  static constexpr int QUERIES = 32;
  int firstRow, rows, unitBegin, unitRows;
};
// Heads of at most 128. `out` is none of the others.
void attention(const float* q, const float* k, const float* v, const AttentionTile* tiles, Rows tileCount, int heads,
               int headDim, float scale, float* out, cudaStream_t stream);

struct LstmWeights {
  Matrix input, recurrent;  // [4 · hidden × …], gates i, f, g, o
  const float* bias;        // [4 · hidden]: the sum of both
};
struct LstmState {
  float *firstH, *firstC;
  int64_t slotStride;
  __device__ float* h(int slot) const { return firstH + slot * slotStride; }
  __device__ float* c(int slot) const { return firstC + slot * slotStride; }
};
// How many streams have a row in turn 0, 1, …
struct LstmTurns {
  int most;
  const int* active;
};
// h [streams × hidden], inputs [rows × 4 · hidden], recurrent [streams × 4 · hidden]
struct LstmWork {
  float *h, *inputs, *recurrent;
};
// Streams with more rows come first; `perFrame` is 1.
void lstm(const LstmWeights& weights, const float* x, Rows rows, LstmState state, StreamRows streams, LstmTurns turns,
          LstmWork work, float* out, cudaStream_t stream);

// One operation over time and bands; a row has its channels one after the other. With `isPositive` what is negative
// becomes zero.
struct PlaneShape {
  int inputs, outputs, kernel, bands, timeStride, before;
  bool isPositive;
};
void conv2d(const float* weights, const float* bias, const float* x, Rows rows, PlaneShape shape, float* out,
            cudaStream_t stream);

struct NearestBook {
  const double *columns, *squares;  // [width × entries], [entries]
  int entries, width;
};
void nearest(const NearestBook& book, const float* x, Rows rows, int* out, cudaStream_t stream);

void pad(const float* x, const float* alpha, Rows rows, int width, int padding, float* out, cudaStream_t stream);
void addPositions(float* x, const float* positions, float scale, Rows rows, int width, cudaStream_t stream);
struct StageTables {
  const float *a, *b;  // [size × width / 2]
  int size;
};
void takeStage(float* rest, StageTables tables, const int* a, const int* b, Rows rows, int width, int* codes, int place,
               int codebooks, cudaStream_t stream);
void placeCodes(const int* from, Rows rows, int* codes, int codebooks, cudaStream_t stream);

struct CodeTables {
  static constexpr int MOST_STAGES = 3;
  const float* semantic;
  const float* halves[2 * MOST_STAGES];
  int stages, size, semanticWidth, latentWidth;
};
void codeFrames(const CodeTables& tables, const int* codes, Rows rows, float* out, cudaStream_t stream);
void tanhOf(float* x, Rows rows, cudaStream_t stream);

}  // namespace cuda
