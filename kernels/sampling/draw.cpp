// Not part of the SIMD levels: exponentials in double as the reference takes them, and a sort of the few ids that
// count.
#include "draw.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace {

struct Candidate {
  double probability;
  int id;
};

// By descending probability, equal ones by ascending id.
bool isBefore(const Candidate& a, const Candidate& b) {
  return a.probability != b.probability ? a.probability > b.probability : a.id < b.id;
}

}  // namespace

int drawToken(const float* logits, int count, int likeliest, double temperature, int topK, double topP, double draw) {
  thread_local std::vector<Candidate> order;
  order.clear();
  const double highest = logits[likeliest];
  for (int id = 0; id < count; id++) {
    const double probability = std::exp((logits[id] - highest) / temperature);
    if (probability > 0) order.push_back({probability, id});
  }
  if (topK > 0 && topK < static_cast<int>(order.size())) {
    std::nth_element(order.begin(), order.begin() + topK, order.end(), isBefore);
    order.resize(topK);
  }
  std::sort(order.begin(), order.end(), isBefore);

  double total = 0;
  for (const Candidate& candidate : order) total += candidate.probability;
  size_t kept = 0;
  double mass = 0;
  while (kept < order.size() && (kept == 0 || mass < topP * total)) mass += order[kept++].probability;

  double remaining = draw * mass;
  for (size_t k = 0; k < kept; k++) {
    remaining -= order[k].probability;
    if (remaining < 0) return order[k].id;
  }
  return kept > 0 ? order[kept - 1].id : likeliest;
}
