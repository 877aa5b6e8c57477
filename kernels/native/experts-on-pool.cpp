#include "experts-on-pool.h"

#include <algorithm>
#include <vector>

#include "multiply-on-pool.h"
#include "rows-on-pool.h"

namespace {

constexpr int INPUT_SLOT = 7, INNER_SLOT = 8, OUTPUT_SLOT = 9;
// Multiply-adds of one expert's product from which its own panels are worth sharing.
constexpr double LEAST_PRODUCT = 2e6;

// Slots (row, choice) ordered by expert, those of one in the order of the rows.
struct SlotsByExpert {
  std::vector<int> begins;  // Of each expert, and behind the last.
  std::vector<int> slots;

  void sort(const int32_t* indices, int count, int experts) {
    begins.assign(experts + 1, 0);
    for (int slot = 0; slot < count; slot++) begins[std::min<int>(indices[slot], experts)]++;
    for (int e = 0, sum = 0; e <= experts; e++) {
      sum += begins[e];
      begins[e] = sum - begins[e];
    }
    slots.resize(count);
    std::vector<int>& next = places;
    next.assign(begins.begin(), begins.end());
    for (int slot = 0; slot < count; slot++) slots[next[std::min<int>(indices[slot], experts)]++] = slot;
  }

 private:
  std::vector<int> places;
};

// Weights are read once for all rows that go to an expert, and every thread reads a part of them.
void byProduct(const KernelTable& kernels, const Expert* experts, int expertCount, int hidden, int inner,
               const float* x, int rows, int topK, const int32_t* indices, const float* weights, float* out) {
  thread_local SlotsByExpert sorted;
  sorted.sort(indices, rows * topK, expertCount);
  const size_t width = hidden;
  float* inputs = scratch(INPUT_SLOT, rows * width);
  float* gate = scratch(INNER_SLOT, 2 * static_cast<size_t>(rows) * inner);
  float* down = scratch(OUTPUT_SLOT, rows * width);
  std::fill_n(out, rows * width, 0.0f);
  for (int e = 0; e < expertCount; e++) {
    const int begin = sorted.begins[e], count = sorted.begins[e + 1] - begin;
    if (count == 0) continue;
    const int* slots = sorted.slots.data() + begin;
    float* up = gate + static_cast<size_t>(count) * inner;
    for (int g = 0; g < count; g++) std::copy_n(x + slots[g] / topK * width, width, inputs + g * width);
    multiplyRows(kernels, experts[e].gate, inputs, count, gate);
    multiplyRows(kernels, experts[e].up, inputs, count, up);
    kernels.swiglu(gate, up, static_cast<size_t>(count) * inner, gate);
    multiplyRows(kernels, experts[e].down, gate, count, down);
    for (int g = 0; g < count; g++)
      kernels.addScaled(out + slots[g] / topK * width, down + g * width, weights[slots[g]], hidden);
  }
  for (int n = sorted.begins[expertCount]; n < rows * topK; n++) {
    const size_t row = sorted.slots[n] / topK * width;
    kernels.addScaled(out + row, x + row, weights[sorted.slots[n]], hidden);
  }
}

}  // namespace

void expertsOnPool(const KernelTable& kernels, const Expert* experts, int expertCount, int hidden, int inner,
                   const float* x, int rows, int topK, const int32_t* indices, const float* weights, float* out) {
  // An expert gets this many rows on average, one at least.
  const double each = std::max(1.0, static_cast<double>(rows) * topK / std::max(expertCount, 1));
  if (poolThreads() > 1 && each * hidden * inner >= LEAST_PRODUCT) {
    return byProduct(kernels, experts, expertCount, hidden, inner, x, rows, topK, indices, weights, out);
  }
  rowsOnPool(
      rows, 3.0 * topK * hidden * inner,
      [&](int begin, int end) {
        const size_t row = static_cast<size_t>(begin) * hidden, slot = static_cast<size_t>(begin) * topK;
        kernels.experts(experts, expertCount, hidden, inner, x + row, end - begin, topK, indices + slot, weights + slot,
                        out + row);
      },
      NO_MOST_GROUPS);
}
