// Run by `npm run test:native-asan` under the thread sanitizer, which cannot be loaded into Node: callers share the
// pool while it grows, models with ranks come and go, and every result is compared with one thread's.
#include <atomic>
#include <cstdio>
#include <cstring>
#include <thread>
#include <vector>

#include "expert-exchange.h"
#include "multiply-on-pool.h"
#include "pool.h"
#include "rows-on-pool.h"

extern const KernelTable kernels_scalar;

namespace {

const KernelTable& table = kernels_scalar;
std::atomic<int> failures{0};

struct Numbers {
  uint32_t state;
  float next() {
    state = state * 1664525 + 1013904223;
    return static_cast<float>(state >> 8) / (1 << 23) - 1;
  }
  std::vector<float> some(size_t count) {
    std::vector<float> values(count);
    for (float& value : values) value = next();
    return values;
  }
};

struct Packed {
  Matrix matrix;
  Aligned panels;
  Packed(Numbers& numbers, int outputs, int inputs) {
    const std::vector<float> weight = numbers.some(static_cast<size_t>(outputs) * inputs);
    panels = allocateAligned(table.matrixBytes(outputs, inputs, WeightType::f32));
    matrix = {};
    matrix.outputs = outputs;
    matrix.inputs = inputs;
    matrix.type = WeightType::f32;
    matrix.panels = panels.get();
    table.packMatrix(weight.data(), nullptr, matrix);
  }
};

void expectSame(const std::vector<float>& a, const std::vector<float>& b, const char* what) {
  if (std::memcmp(a.data(), b.data(), sizeof(float) * a.size()) == 0) return;
  std::fprintf(stderr, "%s: another result than on one thread\n", what);
  failures++;
}

// Products just above the size from which the pool is used, of many rows and of one.
void multiplyAgainAndAgain(int seed) {
  Numbers numbers{static_cast<uint32_t>(seed)};
  const Packed packed(numbers, 1500, 100);
  for (const int rows : {14, 160, 15}) {
    const std::vector<float> x = numbers.some(static_cast<size_t>(rows) * 100);
    const Windows windows = {x.data(), 100, 1, 0, 100};
    std::vector<float> alone(static_cast<size_t>(rows) * 1500), together(alone.size());
    table.multiply(packed.matrix, windows, rows, alone.data(), 1500, 0, table.panelCount(packed.matrix));
    for (int again = 0; again < 4; again++) {
      std::fill(together.begin(), together.end(), 0.0f);
      multiplyOnPool(table, packed.matrix, windows, rows, together.data());
      expectSame(alone, together, "a product on the pool");
    }
  }
}

// Small pieces: all of the time goes into handing them around.
void countAgainAndAgain() {
  for (int again = 0; again < 300; again++) {
    std::vector<int> seen(200, 0);
    parallelFor(200, 1, [&](int begin, int end) {
      for (int i = begin; i < end; i++) seen[i]++;
    });
    for (const int times : seen) {
      if (times != 1) failures++;
    }
  }
}

// Rows of a step: each in one range, ranges of whole groups.
void rowsAgainAndAgain() {
  for (int again = 0; again < 100; again++) {
    const int rows = 1 + again % 60;
    std::vector<int> seen(rows, 0);
    rowsOnPool(rows, 1e6, [&](int begin, int end) {
      if (begin % ROWS_APART != 0 || (end % ROWS_APART != 0 && end != rows)) failures++;
      for (int r = begin; r < end; r++) seen[r]++;
    });
    for (const int times : seen) {
      if (times != 1) failures++;
    }
  }
}

void exchangeAgainAndAgain(int seed) {
  constexpr int HIDDEN = 12, INNER = 20, EXPERTS = 6, TOP = 2, ROWS = 9;
  Numbers numbers{static_cast<uint32_t>(seed)};
  std::vector<Packed> packed;
  std::vector<Expert> experts;
  for (int e = 0; e < EXPERTS; e++) {
    packed.emplace_back(numbers, INNER, HIDDEN);
    packed.emplace_back(numbers, INNER, HIDDEN);
    packed.emplace_back(numbers, HIDDEN, INNER);
    const size_t last = packed.size() - 1;
    experts.push_back({packed[last - 2].matrix, packed[last - 1].matrix, packed[last].matrix});
  }
  const std::vector<float> x = numbers.some(ROWS * HIDDEN);
  const std::vector<float> weights = numbers.some(ROWS * TOP);
  std::vector<int32_t> indices(ROWS * TOP);
  for (int slot = 0; slot < ROWS * TOP; slot++) indices[slot] = (slot * 5 + seed) % (EXPERTS + 2);
  std::vector<float> alone(ROWS * HIDDEN), together(ROWS * HIDDEN);
  table.experts(experts.data(), EXPERTS, HIDDEN, INNER, x.data(), ROWS, TOP, indices.data(), weights.data(),
                alone.data());
  for (int count = 1; count <= 5; count++) {
    auto ranks = std::make_shared<RankSet>();
    for (int r = 0; r < count; r++) ranks->push_back(std::make_unique<Rank>());
    std::vector<int32_t> rankOf(EXPERTS);
    for (int e = 0; e < EXPERTS; e++) rankOf[e] = (e * 3 + seed) % count;
    // Two layers on the same ranks, as in a model; the last exchange is left to its destructor.
    ExpertExchange first(ranks, &table, HIDDEN, experts, rankOf.data());
    ExpertExchange second(ranks, &table, HIDDEN, experts, rankOf.data());
    for (int again = 0; again < 50; again++) {
      first.dispatch(x.data(), ROWS, TOP, indices.data());
      second.dispatch(x.data(), ROWS, TOP, indices.data());
      first.combine(x.data(), weights.data(), together.data());
      expectSame(alone, together, "experts on ranks");
      second.combine(x.data(), weights.data(), together.data());
      expectSame(alone, together, "experts of the second layer");
    }
    second.dispatch(x.data(), ROWS, TOP, indices.data());
  }
}

}  // namespace

int main() {
  std::vector<std::thread> threads;
  growPool(2);
  for (int seed = 1; seed <= 3; seed++) threads.emplace_back(multiplyAgainAndAgain, seed);
  for (int n = 0; n < 2; n++) threads.emplace_back(countAgainAndAgain);
  threads.emplace_back(rowsAgainAndAgain);
  for (int seed = 1; seed <= 2; seed++) threads.emplace_back(exchangeAgainAndAgain, seed);
  growPool(4);
  for (std::thread& thread : threads) thread.join();
  std::printf("pool: %zu calls cut, %zu ranges stolen; %d failures\n", poolCounts().calls, poolCounts().steals,
              failures.load());
  return failures == 0 ? 0 : 1;
}
