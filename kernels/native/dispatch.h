// Which level of kernels this process uses.
#pragma once
#include "kernels.h"

struct Level {
  const KernelTable* table;
  bool supported;  // By this processor.
};

// Every level in this build, slowest first.
const Level* levels(int* count);

// The fastest supported level, or the one that LONGCAT_RT_ISA names; null when that one is missing here.
const KernelTable* pickLevel(const char* wanted);
