// Waiting in the kernels' own threads: a short spin, because the next piece of a step follows within microseconds, then
// sleep, because an idle line must not heat a core.
#pragma once
#include <atomic>

#if defined(__x86_64__)
#include <immintrin.h>
inline void pauseBriefly() { _mm_pause(); }
#elif defined(__aarch64__)
inline void pauseBriefly() { asm volatile("yield"); }
#else
inline void pauseBriefly() {}
#endif

constexpr int SPINS = 2000;  // A few tens of microseconds.

template <class T, class Ready>
void await(const std::atomic<T>& value, Ready ready) {
  for (int spin = 0; spin < SPINS; spin++) {
    if (ready(value.load(std::memory_order_acquire))) return;
    pauseBriefly();
  }
  for (T now = value.load(); !ready(now); now = value.load()) value.wait(now);
}
