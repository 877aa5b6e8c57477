// The operations on the device: every pointer is device memory, row-major; work is only begun, in `stream`.
// A row's result has the same bits whatever else is in the batch, so any number of rows may be asked for at once.
#pragma once
#include "device.h"

namespace cuda {

// How many rows there are: known when a kernel starts, or only on the device, where graphs read it.
struct Rows {
  int most;
  const int* actual = nullptr;

  __device__ int count() const { return actual ? *actual : most; }
};

// Blocks of 256 threads, one for each element.
inline dim3 blocksFor(int rows, int width) {
  return dim3(static_cast<unsigned>((static_cast<int64_t>(rows) * width + 255) / 256));
}

// [outputs × inputs], floats or bfloat16.
struct Matrix {
  const void* values;
  int outputs, inputs;
  bool isBfloat16;
};

// Vectors of a row that are rotated, as in kernels/rotary/index.ts.
struct RotaryLayout {
  int stride, offset, heads, headStride, pairs;
};

struct LatentShape {
  int heads, nope, rope, value, rank;
  __host__ __device__ int cached() const { return rank + rope; }
  __host__ __device__ int query() const { return nope + rope; }
};

// A plane of the cache of all sequences. Position p of sequence s lies in page table[s · tableStride + p / pageRows].
struct Pages {
  void* base;
  int64_t pageNumbers;  // from one page to the next
  int64_t offset;       // of the plane in every page
  int pageRows;
  bool isBfloat16;
  const int* table;
  int tableStride;
};

// Per row of a step: which sequence, and where in it.
struct Places {
  const int* sequences;
  const int* positions;
};

// Rows are cut into parts of the cache of `partRows` positions each, the last of `parts` ends with the longest context.
struct Parts {
  int partRows, parts;
};

struct Expert {
  const void *gate, *up, *down;
};

struct Experts {
  const Expert* table;  // on the device
  int count, hidden, inner;
  bool isGateBfloat16, isDownBfloat16;
};

// Where the router sent rows, and the slots (row · topK + choice) of real experts grouped by expert.
struct Groups {
  int* slots;      // [most slots], those of an expert in the order of the rows
  int* tileCount;  // [1]
  int* tiles;      // [most tiles × 3]: expert, first place in `slots`, how many (≤ 8)
};

int mostTiles(int slots, int experts);

void linear(const Matrix& matrix, const float* bias, const float* x, Rows rows, const float* addend, float* out,
            cudaStream_t stream);
void gated(const Matrix& gate, const Matrix& up, const float* x, Rows rows, float* out, cudaStream_t stream);
void rmsNorm(const float* x, const float* weight, Rows rows, int width, float epsilon, float* out, cudaStream_t stream);
void layerNorm(const float* x, const float* weight, const float* bias, Rows rows, int width, float epsilon, float* out,
               cudaStream_t stream);
void swiglu(const float* gate, const float* up, Rows rows, int width, float* out, cudaStream_t stream);
void residual(float* x, const float* branch, const float* scale, Rows rows, int width, cudaStream_t stream);
void rotary(float* x, Rows rows, RotaryLayout layout, const float* frequencies, const int* positions,
            cudaStream_t stream);
void storeLatents(const float* down, const float* norm, float epsilon, const float* frequencies, Rows rows,
                  LatentShape shape, Places places, Pages pages, cudaStream_t stream);
// `absorbed` [rows × heads × (rank + rope)], `partial` [rows × heads × parts × (rank + 2)]; out [rows × heads × value].
void latentAttention(const Matrix& expansion, LatentShape shape, const float* q, Rows rows, Places places, Pages pages,
                     Parts parts, float* absorbed, float* partial, float* out, cudaStream_t stream);
void route(const float* logits, const float* bias, Rows rows, int experts, int topK, float factor, int* indices,
           float* weights, cudaStream_t stream);
void groupSlots(const int* indices, Rows rows, int topK, int experts, Groups groups, cudaStream_t stream);
// `inner` [slots × inner], `answers` [slots × hidden]; out = addend + Σ, or Σ alone.
void experts(const Experts& experts, const float* x, Rows rows, int topK, const int* indices, const float* weights,
             Groups groups, float* inner, float* answers, const float* addend, float* out, cudaStream_t stream);
// Of row r the sum of row ids[r · tables + t] of every table t; features[r] ≥ 0 takes that row of `vectors` instead.
struct Tables {
  static constexpr int MOST = 5;
  const void* values[MOST];
  bool isBfloat16[MOST];
  int count;
};
void embedding(Tables tables, int width, const int* ids, Rows rows, const int* features, const float* vectors,
               float* out, cudaStream_t stream);
void gatherRows(const float* x, const int* chosen, Rows rows, int width, float* out, cudaStream_t stream);
// histories [rows × window], of which the last counts[row] count; a factor per row.
void penalise(float* logits, int64_t stride, int count, const int* histories, const int* counts, int window,
              const double* factors, Rows rows, cudaStream_t stream);
void argmax(const float* logits, int64_t stride, int count, Rows rows, int* out, int outStride, cudaStream_t stream);
// z[row] += table[ids[row · idStride]]
void addTableRows(float* z, const Matrix& table, const int* ids, int idStride, Rows rows, cudaStream_t stream);

struct SamplingRow {
  double temperature, topP, topK, draw;
};
// `order` [rows × room] with room = sortRoom(count).
int sortRoom(int count);
void sample(const float* logits, int64_t stride, int count, const SamplingRow* requests, Rows rows, uint64_t* order,
            int* out, cudaStream_t stream);
// Share of the wait token in the softmax, then the token is taken out.
void takeWait(float* logits, int count, int wait, Rows rows, float* shares, cudaStream_t stream);

}  // namespace cuda
