#include "pool.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <thread>

#include "spin.h"

namespace {

// A call under way. Callers are reused and never freed, so a thread that comes too late looks at valid memory.
struct Call {
  RangeBody body = nullptr;
  void* context = nullptr;
  int grain = 1;
  std::atomic<int> itemsLeft{0};
};

struct Range {
  Call* call;
  int begin, end;
};

// The owner pushes and pops at the back, where ranges are small and warm; thieves take the large ones from the front.
class Deque {
 public:
  bool push(const Range& range) {
    std::lock_guard<std::mutex> guard(lock_);
    if (size_ == DEQUE_RANGES) return false;
    ring_[(first_ + size_++) % DEQUE_RANGES] = range;
    return true;
  }

  bool pop(Range* range) {
    std::lock_guard<std::mutex> guard(lock_);
    if (size_ == 0) return false;
    *range = ring_[(first_ + --size_) % DEQUE_RANGES];
    return true;
  }

  // Any range, or one of `only`.
  bool steal(const Call* only, Range* range) {
    std::lock_guard<std::mutex> guard(lock_);
    if (size_ == 0 || (only && ring_[first_].call != only)) return false;
    *range = ring_[first_];
    first_ = (first_ + 1) % DEQUE_RANGES;
    size_--;
    return true;
  }

 private:
  std::mutex lock_;
  Range ring_[DEQUE_RANGES];
  int first_ = 0;
  int size_ = 0;
};

struct Caller {
  std::atomic<bool> taken{false};
  Call call;
  Deque deque;
};

class Pool {
 public:
  void grow(int threads) {
    std::lock_guard<std::mutex> guard(growing_);
    const int wanted = std::min(threads, MAX_POOL_THREADS) - 1;
    for (int n = workers_.load(); n < wanted; n++) {
      std::thread([this, n] { work(n); }).detach();
      workers_.store(n + 1);
    }
  }

  int threads() const { return workers_.load(std::memory_order_relaxed) + 1; }

  PoolCounts counts() const { return {calls_.load(), steals_.load()}; }

  void run(int count, int grain, RangeBody body, void* context) {
    Caller* caller = count <= grain || isWorker ? nullptr : takeCaller();
    if (!caller) return body(context, 0, count);
    calls_.fetch_add(1, std::memory_order_relaxed);
    Call& call = caller->call;
    call.body = body;
    call.context = context;
    call.grain = grain;
    call.itemsLeft.store(count);
    Range range = {&call, 0, count};
    // Only ranges of its own call: the caller holds scratch memory that the kernels of another could overwrite.
    do execute(range, &caller->deque);
    while (caller->deque.pop(&range) || stealFor(&call, &range));
    await(call.itemsLeft, [](int left) { return left == 0; });
    caller->taken.store(false);
  }

 private:
  Caller* takeCaller() {
    if (workers_.load(std::memory_order_relaxed) == 0) return nullptr;
    for (Caller& caller : callers_) {
      if (!caller.taken.exchange(true)) return &caller;
    }
    return nullptr;
  }

  // Gives halves away until the rest is one grain, and computes that.
  void execute(Range range, Deque* own) {
    Call& call = *range.call;
    while (range.end - range.begin > call.grain) {
      const int middle = range.begin + (range.end - range.begin) / 2;
      if (!own->push({&call, middle, range.end})) break;
      range.end = middle;
      announce();
    }
    call.body(call.context, range.begin, range.end);
    const int items = range.end - range.begin;
    if (call.itemsLeft.fetch_sub(items) == items) call.itemsLeft.notify_all();
  }

  bool stealFor(Call* only, Range* range) {
    for (int n = 0; n < workers_.load(); n++) {
      if (workerDeques_[n].steal(only, range)) return true;
    }
    return false;
  }

  bool stealAny(int self, Range* range) {
    const int workers = workers_.load();
    for (int k = 1; k < workers; k++) {
      if (workerDeques_[(self + k) % workers].steal(nullptr, range)) return true;
    }
    for (int k = 0; k < MAX_CALLERS; k++) {
      if (callers_[(self + k) % MAX_CALLERS].deque.steal(nullptr, range)) return true;
    }
    return false;
  }

  void work(int self) {
    isWorker = true;
    for (;;) {
      const unsigned seen = announced_.load();
      Range range;
      if (workerDeques_[self].pop(&range)) {
        execute(range, &workerDeques_[self]);
      } else if (stealAny(self, &range)) {
        steals_.fetch_add(1, std::memory_order_relaxed);
        execute(range, &workerDeques_[self]);
      } else {
        await(announced_, [seen](unsigned now) { return now != seen; });
      }
    }
  }

  void announce() {
    announced_.fetch_add(1);
    announced_.notify_one();
  }

  static thread_local bool isWorker;
  std::mutex growing_;
  std::atomic<int> workers_{0};
  std::atomic<unsigned> announced_{0};
  std::atomic<size_t> calls_{0}, steals_{0};
  Deque workerDeques_[MAX_POOL_THREADS];
  Caller callers_[MAX_CALLERS];
};

thread_local bool Pool::isWorker = false;

// Never destroyed: its threads may outlive static destructors at the end of the process.
Pool& pool() {
  static Pool* const instance = new Pool;
  return *instance;
}

}  // namespace

void growPool(int threads) { pool().grow(threads); }
int poolThreads() { return pool().threads(); }
void onPool(int count, int grain, RangeBody body, void* context) { pool().run(count, grain, body, context); }
PoolCounts poolCounts() { return pool().counts(); }
