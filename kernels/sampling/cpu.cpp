// The first of the largest; NaN never wins. Each lane remembers where it met its largest value first.
static int argmax(const float* values, int count) {
  const V lowest = splat(-__builtin_inff());
  V highest = lowest;
  VI where = {};
  VI at = {};
  for (int n = 0; n < LANES; n++) at[n] = n;
  int i = 0;
  for (; i + LANES <= count; i += LANES, at += LANES) {
    const V v = load(values + i);
    const VI higher = v > highest;
    highest = higher ? v : highest;
    where = higher ? at : where;
  }
  float max = maxLanes(highest);
  int best = count;
  for (int n = 0; n < LANES; n++) best = highest[n] == max && where[n] < best ? where[n] : best;
  for (; i < count; i++) {
    if (values[i] > max) best = i;
    max = values[i] > max ? values[i] : max;
  }
  if (max > -__builtin_inff()) return best;
  // Nothing above -∞ was met, so that no lane remembers anything.
  for (i = 0; i < count; i++) {
    if (values[i] == max) return i;
  }
  return 0;
}
