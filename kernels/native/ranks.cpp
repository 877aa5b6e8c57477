#include "ranks.h"

#include <chrono>

#include "spin.h"

int64_t nowNs() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

void RankWork::await() const {
  ::await(done_, [](bool done) { return done; });
}

Rank::Rank() : thread_([this] { serve(); }) {}

Rank::~Rank() {
  {
    std::lock_guard<std::mutex> guard(lock_);
    stopping_ = true;
  }
  submitted_.fetch_add(1);
  submitted_.notify_one();
  thread_.join();
}

void Rank::submit(RankWork* work) {
  work->done_.store(false);
  work->next_ = nullptr;
  {
    std::lock_guard<std::mutex> guard(lock_);
    (last_ ? last_->next_ : first_) = work;
    last_ = work;
  }
  submitted_.fetch_add(1);
  submitted_.notify_one();
}

RankWork* Rank::take() {
  std::lock_guard<std::mutex> guard(lock_);
  RankWork* work = first_;
  if (work) first_ = work->next_;
  if (!first_) last_ = nullptr;
  return work;
}

void Rank::serve() {
  for (;;) {
    const unsigned seen = submitted_.load();
    if (RankWork* work = take()) {
      work->beganNs_ = nowNs();
      work->run();
      work->endedNs_ = nowNs();
      // The sender may free the work as soon as it reads this, so nothing of it is touched afterwards; the notification
      // needs its address only.
      std::atomic<bool>* done = &work->done_;
      done->store(true, std::memory_order_release);
      done->notify_all();
      continue;
    }
    {
      std::lock_guard<std::mutex> guard(lock_);
      if (stopping_) return;
    }
    await(submitted_, [seen](unsigned now) { return now != seen; });
  }
}
