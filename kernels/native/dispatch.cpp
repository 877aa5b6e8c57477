#include "dispatch.h"

#include <cstring>

extern const KernelTable kernels_scalar;
#if defined(__x86_64__)
extern const KernelTable kernels_avx2;
extern const KernelTable kernels_avx512;
extern const KernelTable kernels_avx512vnni;
#elif defined(__aarch64__)
extern const KernelTable kernels_neon;
#endif

namespace {

#if defined(__x86_64__)
bool hasAvx2() {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
}

bool hasAvx512() {
  return hasAvx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}

bool hasVnni() { return hasAvx512() && __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bf16"); }

const Level LEVELS[] = {{&kernels_scalar, true},
                        {&kernels_avx2, hasAvx2()},
                        {&kernels_avx512, hasAvx512()},
                        {&kernels_avx512vnni, hasVnni()}};
#elif defined(__aarch64__)
// Every 64-bit ARM has NEON.
const Level LEVELS[] = {{&kernels_scalar, true}, {&kernels_neon, true}};
#else
const Level LEVELS[] = {{&kernels_scalar, true}};
#endif

constexpr int LEVEL_COUNT = sizeof LEVELS / sizeof LEVELS[0];

}  // namespace

const Level* levels(int* count) {
  *count = LEVEL_COUNT;
  return LEVELS;
}

const KernelTable* pickLevel(const char* wanted) {
  for (int i = LEVEL_COUNT - 1; i >= 0; i--) {
    if (!LEVELS[i].supported) continue;
    if (!wanted || !*wanted || std::strcmp(wanted, LEVELS[i].table->name) == 0) return LEVELS[i].table;
  }
  return nullptr;
}
