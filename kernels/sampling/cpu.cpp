// The first of the largest; NaN never wins.
static int argmax(const float* values, int count) {
  const V lowest = splat(-__builtin_inff());
  V highest = lowest;
  int i = 0;
  for (; i + LANES <= count; i += LANES) {
    const V v = load(values + i);
    highest = v > highest ? v : highest;
  }
  float max = maxLanes(highest);
  for (; i < count; i++) max = values[i] > max ? values[i] : max;
  for (i = 0; i < count; i++) {
    if (values[i] == max) return i;
  }
  return 0;
}
