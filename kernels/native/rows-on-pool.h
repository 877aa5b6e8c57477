#pragma once
#include <algorithm>

#include "pool.h"

// Fewer rows than this would read all weights for little; of more groups, products are cut one by one.
constexpr int ROWS_APART = 8;
constexpr int MOST_GROUPS = 16;
constexpr int NO_MOST_GROUPS = 1 << 30;
// Multiply-adds that pay: fewer than for a product alone, because threads that have just computed still look for more.
constexpr double LEAST_WORK_OF_ROWS = 5e5;

// A step of many sessions, whose rows are independent: ranges of rows on the pool's threads where that pays. Calls
// `body(begin, end)`; what it computes for a row must not depend on the others of its range.
template <class F>
void rowsOnPool(int rows, double multiplyAddsPerRow, F&& body, int mostGroups = MOST_GROUPS) {
  const int threads = poolThreads();
  const int groups = (rows + ROWS_APART - 1) / ROWS_APART;
  if (threads == 1 || groups < 2 || groups > mostGroups || rows * multiplyAddsPerRow < LEAST_WORK_OF_ROWS) {
    body(0, rows);
    return;
  }
  // A thread's rows in one range: they share the weights that it reads.
  const int together = (groups + threads - 1) / threads;
  parallelFor(groups, together,
              [&](int begin, int end) { body(begin * ROWS_APART, std::min(end * ROWS_APART, rows)); });
}
