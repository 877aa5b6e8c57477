#include "latent-on-pool.h"

#include <algorithm>
#include <vector>

#include "pool.h"

namespace {

constexpr int QUERY_SLOT = 11, MIXED_SLOT = 12;
// Floats of queries, and of mixed latents, that a run of rows may have: more rows go one run after the other.
constexpr size_t RUN_FLOATS = 2 << 20;
// Heads of rows that go over a widened block together: what they carry along lies beside it in the second-level cache.
constexpr int LINES_TOGETHER = 128;
// Multiply-adds that pay for waking another thread.
constexpr double LEAST_WORK = 2e6;

struct Run {
  std::vector<QueryRows> groups;
  int rows = 0;
  double multiplyAdds = 0;
};

// In ranges over heads; the whole where that does not pay.
template <class F>
void overHeads(int heads, bool pays, F&& body) {
  if (pays) parallelFor(heads, std::max(1, heads / (4 * poolThreads())), [&](int begin, int end) { body(begin, end); });
  else body(0, heads);
}

void attendRun(const KernelTable& kernels, const LatentExpansion& expansion, const LatentShape& s, const float* q,
               const Run& run, float* out) {
  const size_t line = kernels.latentWidth(s);
  float* queries = scratch(QUERY_SLOT, run.rows * s.heads * line);
  float* mixed = scratch(MIXED_SLOT, run.rows * s.heads * line);
  const int threads = poolThreads(), groups = static_cast<int>(run.groups.size());
  const double expanding = static_cast<double>(run.rows) * s.heads * s.rank;
  const bool isShared = threads > 1 && run.multiplyAdds >= LEAST_WORK;
  overHeads(s.heads, threads > 1 && expanding * s.nope >= LEAST_WORK,
            [&](int begin, int end) { kernels.latentQueries(expansion.key(), s, q, run.rows, begin, end, queries); });
  if (!isShared) {
    kernels.latentMix(s, run.groups.data(), groups, 0, s.heads, queries, mixed);
  } else {
    const int parts = groups >= 2 * threads ? 1 : std::min(threads, s.heads);
    parallelFor(groups * parts, 1, [&](int begin, int end) {
      if (parts == 1) return kernels.latentMix(s, run.groups.data() + begin, end - begin, 0, s.heads, queries, mixed);
      for (int n = begin; n < end; n++) {
        const int part = n % parts;
        kernels.latentMix(s, run.groups.data() + n / parts, 1, s.heads * part / parts, s.heads * (part + 1) / parts,
                          queries, mixed);
      }
    });
  }
  overHeads(s.heads, threads > 1 && expanding * s.value >= LEAST_WORK,
            [&](int begin, int end) { kernels.latentValues(expansion.value(), s, mixed, run.rows, begin, end, out); });
}

}  // namespace

void latentAttentionOnPool(const KernelTable& kernels, const LatentExpansion& expansion, const LatentShape& s,
                           const float* q, const LatentSegment* segments, int segmentCount, float* out) {
  const size_t line = static_cast<size_t>(s.heads) * kernels.latentWidth(s);
  const int together = std::max(1, LINES_TOGETHER / s.heads);
  const int most = std::max<int>(together, static_cast<int>(RUN_FLOATS / line));
  // Of this thread: a step allocates nothing once it has been as large.
  thread_local Run run;
  const auto begin = [] {
    run.groups.clear();
    run.rows = 0;
    run.multiplyAdds = 0;
  };
  const auto finish = [&] {
    if (run.rows > 0) attendRun(kernels, expansion, s, q, run, out);
    q += static_cast<size_t>(run.rows) * s.heads * (s.nope + s.rope);
    out += static_cast<size_t>(run.rows) * s.heads * s.value;
    begin();
  };
  begin();
  for (const LatentSegment* segment = segments; segment < segments + segmentCount; segment++) {
    for (int first = 0; first < segment->rows;) {
      const int rows = std::min(together, segment->rows - first);
      if (run.rows + rows > most) finish();
      run.groups.push_back({segment, first, rows, run.rows});
      run.rows += rows;
      first += rows;
      run.multiplyAdds += static_cast<double>(rows) * (segment->start + first) * s.heads * (2 * s.rank + s.rope);
    }
  }
  finish();
}
