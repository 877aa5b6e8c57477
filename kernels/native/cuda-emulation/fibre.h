// A thread of execution with a stack of its own, switched by hand.
#pragma once
#include <cstddef>
#if !defined(__x86_64__)
#include <ucontext.h>
#endif

namespace emulation {

struct Fibre {
  char* stack = nullptr;  // lowest address
  size_t stackBytes = 0;
#if defined(__x86_64__)
  void* pointer = nullptr;
#else
  ucontext_t context;
#endif
  void* shadow = nullptr;  // the address sanitizer's own stack, while the fibre waits
};

// `entry` must never return; it switches away for good.
void prepareFibre(Fibre& fibre, void (*entry)());
void switchFibre(Fibre& from, Fibre& to);
// The first thing that a fibre does, and what it does before it switches for the last time.
void beganFibre();
void switchForGood(Fibre& to);

}  // namespace emulation
