#include "multiply-on-pool.h"

#include <algorithm>

#include "pool.h"

namespace {

// Multiply-adds below which waking another thread costs more than it saves (some 20 µs of work on one).
constexpr double LEAST_WORK = 2e6;
// Ranges begin at multiples of these, so that tiles of rows and runs of panels stay whole.
constexpr int ROWS_TOGETHER = 24;
constexpr int PANELS_TOGETHER = 4;

int groups(int count, int together) { return (count + together - 1) / together; }

}  // namespace

void multiplyOnPool(const KernelTable& kernels, const Matrix& matrix, const Windows& windows, int rows, float* out) {
  const int panels = kernels.panelCount(matrix);
  const size_t width = matrix.outputs;
  const int threads = poolThreads();
  const double work = static_cast<double>(rows) * matrix.inputs * matrix.outputs;
  if (threads == 1 || work < LEAST_WORK) {
    kernels.multiply(matrix, windows, rows, out, width, 0, panels);
    return;
  }
  // Rows share the weights they read, panels share the rows: cut what there is more of.
  if (groups(rows, ROWS_TOGETHER) >= 2 * threads) {
    parallelFor(groups(rows, ROWS_TOGETHER), 1, [&](int begin, int end) {
      const int first = begin * ROWS_TOGETHER;
      Windows part = windows;
      part.x += first * windows.rowStride;
      kernels.multiply(matrix, part, std::min(end * ROWS_TOGETHER, rows) - first, out + first * width, width, 0,
                       panels);
    });
  } else {
    parallelFor(groups(panels, PANELS_TOGETHER), 1, [&](int begin, int end) {
      kernels.multiply(matrix, windows, rows, out, width, begin * PANELS_TOGETHER,
                       std::min(end * PANELS_TOGETHER, panels));
    });
  }
}
