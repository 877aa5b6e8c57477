// The pool's threads, and the experts' ranks.
#if defined(__linux__) || defined(__APPLE__)
#include <dlfcn.h>
#endif

#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include <utility>

#include "arguments.h"
#include "expert-exchange.h"
#include "pool.h"
#include "shared-weights.h"

namespace {

// Node unloads an addon with the last JavaScript thread that used it; threads of ours would go on in code that is gone.
void stayLoaded() {
#if defined(__linux__) || defined(__APPLE__)
  Dl_info info;
  if (dladdr(reinterpret_cast<void*>(&stayLoaded), &info))
    dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD | RTLD_NODELETE);
#endif
}

// growPool(threads) → threads a call may use
napi_value growThreads(Arguments& a) {
  growPool(a.integer(0, 1));
  return toNumber(a, poolThreads());
}

// poolCounts(out: Float64Array of 2): calls that were cut into ranges, ranges that were stolen
napi_value readPoolCounts(Arguments& a) {
  double* out = a.doubles(0, 2);
  const PoolCounts counts = poolCounts();
  out[0] = static_cast<double>(counts.calls);
  out[1] = static_cast<double>(counts.steals);
  return nullptr;
}

// returnMemory(): what was freed goes back to the machine. glibc keeps it, an arena for each thread.
napi_value returnMemory(Arguments&) {
#if defined(__GLIBC__)
  malloc_trim(0);
#endif
  return nullptr;
}

// sharedWeights(out: Float64Array of 2): pieces of weights in memory, and their bytes
napi_value readSharedCounts(Arguments& a) {
  double* out = a.doubles(0, 2);
  const SharedCounts counts = sharedCounts();
  out[0] = static_cast<double>(counts.pieces);
  out[1] = static_cast<double>(counts.bytes);
  return nullptr;
}

// nowUs() → monotonic µs, the clock of the exchange's times
napi_value nowUs(Arguments& a) { return toNumber(a, static_cast<double>(nowNs()) / 1000); }

struct RanksHandle : Handle {
  static constexpr uint32_t TAG = 0x52414e4b;
  std::shared_ptr<RankSet> ranks = std::make_shared<RankSet>();
  RanksHandle() : Handle(TAG) {}
};

// createRanks(count) → handle; the threads end when it and all that was prepared for it are gone
napi_value createRanks(Arguments& a) {
  const int count = a.integer(0, 1);
  if (count > MAX_RANKS) Arguments::fail(0, "more ranks than there may be");
  auto handle = std::make_unique<RanksHandle>();
  for (int r = 0; r < count; r++) handle->ranks->push_back(std::make_unique<Rank>());
  return a.give(std::move(handle), 0);
}

struct ExchangeHandle : Handle {
  static constexpr uint32_t TAG = 0x45584348;
  std::vector<PackedMatrix> matrices;
  int ranks = 0;
  // Last member: its destructor waits for ranks that read the matrices.
  std::unique_ptr<ExpertExchange> exchange;
  ExchangeHandle() : Handle(TAG) {}
};

// prepareExchange(ranks, weights: gate, up, down of each expert, rankOf: Int32Array, hidden, inner, scales | null of
// each weight) → handle
napi_value prepareExchange(Arguments& a) {
  const RanksHandle& ranks = a.handle<RanksHandle>(0);
  auto handle = std::make_unique<ExchangeHandle>();
  const int count = static_cast<int>(a.length(2));
  const int32_t* rankOf = a.integers(2, count);
  const int hidden = a.integer(3, 1);
  const int inner = a.integer(4, 1);
  handle->ranks = static_cast<int>(ranks.ranks->size());
  size_t bytes = 0;
  auto pack = [&](int n, int outputs, int inputs) {
    napi_value weight, scales;
    if (napi_get_element(a.env(), a.at(1), n, &weight) != napi_ok ||
        napi_get_element(a.env(), a.at(5), n, &scales) != napi_ok) {
      Arguments::fail(1, "not an array");
    }
    handle->matrices.push_back(packed(a, 1, weight, outputs, inputs, scales));
    bytes += packedBytes(handle->matrices.back());
    return handle->matrices.back().matrix;
  };
  std::vector<Expert> experts;
  for (int e = 0; e < count; e++) {
    if (rankOf[e] < 0 || rankOf[e] >= handle->ranks) Arguments::fail(2, "names no rank");
    const Matrix gate = pack(3 * e, inner, hidden);
    const Matrix up = pack(3 * e + 1, inner, hidden);
    experts.push_back({gate, up, pack(3 * e + 2, hidden, inner)});
  }
  handle->exchange = std::make_unique<ExpertExchange>(ranks.ranks, kernels, hidden, experts, rankOf);
  return a.give(std::move(handle), bytes);
}

// dispatch(exchange, x, rows, topK, indices)
napi_value dispatch(Arguments& a) {
  ExpertExchange& exchange = *a.handle<ExchangeHandle>(0).exchange;
  const int rows = a.integer(2);
  const int topK = a.integer(3, 1);
  const size_t slots = static_cast<size_t>(rows) * topK;
  const float* x = a.floats(1, static_cast<size_t>(rows) * exchange.hidden());
  const int32_t* indices = a.integers(4, slots);
  if (exchange.isPending()) Arguments::fail(0, "under way already");
  for (size_t slot = 0; slot < slots; slot++) {
    if (indices[slot] < 0) Arguments::fail(4, "negative expert");
  }
  exchange.dispatch(x, rows, topK, indices);
  return nullptr;
}

// combine(exchange, x, weights, out)
napi_value combine(Arguments& a) {
  ExpertExchange& exchange = *a.handle<ExchangeHandle>(0).exchange;
  if (!exchange.isPending()) Arguments::fail(0, "nothing was dispatched");
  const size_t count = static_cast<size_t>(exchange.rows()) * exchange.hidden();
  const size_t slots = static_cast<size_t>(exchange.rows()) * exchange.topK();
  exchange.combine(a.floats(1, count), a.floats(2, slots), a.floats(3, count));
  return nullptr;
}

// exchangeTimes(exchange, out: Float64Array of 4 + 2 · ranks)
napi_value exchangeTimes(Arguments& a) {
  const ExchangeHandle& handle = a.handle<ExchangeHandle>(0);
  double* out = a.doubles(1, 4 + 2 * static_cast<size_t>(handle.ranks));
  if (handle.exchange->isPending()) Arguments::fail(0, "still under way");
  handle.exchange->times(out);
  return nullptr;
}

}  // namespace

void bindThreads(Napi::Object exports) {
  stayLoaded();
  define<growThreads>(exports, "growPool");
  define<readPoolCounts>(exports, "poolCounts");
  define<returnMemory>(exports, "returnMemory");
  define<readSharedCounts>(exports, "sharedWeights");
  define<nowUs>(exports, "nowUs");
  define<createRanks>(exports, "createRanks");
  define<prepareExchange>(exports, "prepareExchange");
  define<dispatch>(exports, "dispatch");
  define<combine>(exports, "combine");
  define<exchangeTimes>(exports, "exchangeTimes");
}
