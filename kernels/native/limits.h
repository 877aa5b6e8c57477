// Loops that meet a limit of the machine and nothing else (see limits.cpp).
static double spinMultiplyAdds(int rounds) {
  constexpr int CHAINS = 12;
  V sums[CHAINS];
  for (int n = 0; n < CHAINS; n++) sums[n] = splat(0.5f + n);
  const V factor = splat(0.999f);
  const V term = splat(0.001f);
  for (int r = 0; r < rounds; r++) {
    for (int n = 0; n < CHAINS; n++) sums[n] = fma(sums[n], factor, term);
  }
  V total = {};
  for (int n = 0; n < CHAINS; n++) total += sums[n];
  return 2.0 * CHAINS * LANES * rounds + (sumLanes(total) == 1e30f ? 1 : 0);
}

static double readMemory(const float* from, size_t count) {
  constexpr int CHAINS = 8;
  V sums[CHAINS] = {};
  for (size_t i = 0; i + CHAINS * LANES <= count; i += CHAINS * LANES) {
    __builtin_prefetch(from + i + 512);
    for (int n = 0; n < CHAINS; n++) sums[n] += load(from + i + n * LANES);
  }
  V total = {};
  for (int n = 0; n < CHAINS; n++) total += sums[n];
  return sumLanes(total);
}
