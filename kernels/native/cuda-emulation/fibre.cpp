#include "fibre.h"

#include <cstdint>
#include <cstdlib>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif

namespace emulation {

namespace {
#if defined(__SANITIZE_ADDRESS__)
// The stack of the thread that runs the fibres, learned at the first switch away from it.
thread_local Fibre* host = nullptr;
thread_local Fibre* left = nullptr;

void leave(Fibre* from, Fibre& to, void** shadow) {
  if (from && !from->stack && !host) host = from;
  left = from;
  __sanitizer_start_switch_fiber(shadow, to.stack, to.stackBytes);
}

void arrive(void* shadow) {
  const void* stack;
  size_t bytes;
  __sanitizer_finish_switch_fiber(shadow, &stack, &bytes);
  if (left && left == host) {
    host->stack = static_cast<char*>(const_cast<void*>(stack));
    host->stackBytes = bytes;
  }
}
#else
void leave(Fibre*, Fibre&, void**) {}
void arrive(void*) {}
#endif
}  // namespace

#if defined(__x86_64__)

// Saves what the calling convention wants kept, exchanges the stacks, and returns into the other fibre.
extern "C" void emulation_switch(void** from, void* to);
asm(R"(
  .text
  .type emulation_switch, @function
emulation_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
  .size emulation_switch, . - emulation_switch
)");

void prepareFibre(Fibre& fibre, void (*entry)()) {
  constexpr int SAVED_REGISTERS = 6;
  const uintptr_t top = (reinterpret_cast<uintptr_t>(fibre.stack) + fibre.stackBytes) & ~uintptr_t{15};
  void** pointer = reinterpret_cast<void**>(top);
  *--pointer = nullptr;  // In place of a return address: nobody returns from here.
  *--pointer = reinterpret_cast<void*>(entry);
  for (int i = 0; i < SAVED_REGISTERS; i++) *--pointer = nullptr;
  fibre.pointer = pointer;
  fibre.shadow = nullptr;
}

void switchFibre(Fibre& from, Fibre& to) {
  leave(&from, to, &from.shadow);
  emulation_switch(&from.pointer, to.pointer);
  arrive(from.shadow);
}

void switchForGood(Fibre& to) {
  void* nowhere;
  leave(nullptr, to, nullptr);
  emulation_switch(&nowhere, to.pointer);
  abort();
}

#else

void prepareFibre(Fibre& fibre, void (*entry)()) {
  getcontext(&fibre.context);
  fibre.context.uc_stack.ss_sp = fibre.stack;
  fibre.context.uc_stack.ss_size = fibre.stackBytes;
  fibre.context.uc_link = nullptr;
  makecontext(&fibre.context, entry, 0);
  fibre.shadow = nullptr;
}

void switchFibre(Fibre& from, Fibre& to) {
  leave(&from, to, &from.shadow);
  swapcontext(&from.context, &to.context);
  arrive(from.shadow);
}

void switchForGood(Fibre& to) {
  leave(nullptr, to, nullptr);
  setcontext(&to.context);
  abort();
}

#endif

void beganFibre() { arrive(nullptr); }

}  // namespace emulation
