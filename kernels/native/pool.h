// One pool of threads for all kernels of the process, whichever session or component they serve. A call is cut into
// ranges of independent items; the calling thread works on them too, and idle threads steal halves of what is left.
// Which thread computes an item never changes its bits.
//
// Bounded: at most MAX_POOL_THREADS threads, MAX_CALLERS calls at once and DEQUE_RANGES waiting ranges each; whoever
// finds no room computes on its own thread. A call made from inside a pool thread runs there.
#pragma once
#include <cstddef>

constexpr int MAX_POOL_THREADS = 64;
constexpr int MAX_CALLERS = 64;
constexpr int DEQUE_RANGES = 64;

using RangeBody = void (*)(void* context, int begin, int end);

// Threads a call may use, the calling one included. Grows only: components of one process agree on the largest wish.
void growPool(int threads);
int poolThreads();

// Runs body over 0 … count − 1 in ranges of at least `grain` items; returns when all are done.
void onPool(int count, int grain, RangeBody body, void* context);

template <class F>
void parallelFor(int count, int grain, F&& body) {
  onPool(count, grain, [](void* context, int begin, int end) { (*static_cast<F*>(context))(begin, end); }, &body);
}

struct PoolCounts {
  size_t calls;   // That were cut into ranges.
  size_t steals;  // Ranges that another thread than the caller took.
};
PoolCounts poolCounts();
