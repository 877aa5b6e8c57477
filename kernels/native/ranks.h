// Expert ranks: threads that own the weights of a part of the experts. What is sent to a rank runs there in the order
// of sending. Nothing but the rows sent to it and the rows it answers is shared with anybody.
#pragma once
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

constexpr int MAX_RANKS = 64;

// Monotonic, since an arbitrary moment.
int64_t nowNs();

// A piece of work that may be sent to a rank when it is not under way; the sender keeps it alive until it is done.
class RankWork {
 public:
  virtual ~RankWork() = default;
  virtual void run() = 0;

  void await() const;
  bool isDone() const { return done_.load(std::memory_order_acquire); }
  int64_t beganNs() const { return beganNs_; }
  int64_t endedNs() const { return endedNs_; }

 private:
  friend class Rank;
  std::atomic<bool> done_{true};
  int64_t beganNs_ = 0;
  int64_t endedNs_ = 0;
  RankWork* next_ = nullptr;
};

class Rank {
 public:
  Rank();
  ~Rank();
  // A work can stand in the queue once only, so the queue is never longer than there are works.
  void submit(RankWork* work);

 private:
  void serve();
  RankWork* take();

  std::mutex lock_;
  RankWork* first_ = nullptr;
  RankWork* last_ = nullptr;
  bool stopping_ = false;
  std::atomic<unsigned> submitted_{0};
  std::thread thread_;
};

using RankSet = std::vector<std::unique_ptr<Rank>>;
