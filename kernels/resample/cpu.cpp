// Eight sums in double side by side; the reference has two, so results may differ in the last place of a float.
static int resample(const double* taps, int up, int down, int width, const float* samples, size_t sampleCount,
                    size_t window, int phase, float* out, size_t most) {
  size_t count = 0;
  for (; count < most && window + width <= sampleCount; count++) {
    const double* tap = taps + (size_t)phase * width;
    const float* sample = samples + window;
    double sums[8] = {};
    int n = 0;
    for (; n + 8 <= width; n += 8) {
      for (int i = 0; i < 8; i++) sums[i] += tap[n + i] * sample[n + i];
    }
    for (int i = 0; n < width; n++, i++) sums[i] += tap[n] * sample[n];
    out[count] = (float)(((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7])));
    phase += down;
    window += phase / up;
    phase %= up;
  }
  return (int)count;
}
