// Eight sums in double side by side; the reference has two, so results may differ in the last place of a float.
static float weighed(const double* tap, const double* sample, int width) {
  double sums[8] = {};
  int n = 0;
  for (; n + 8 <= width; n += 8) {
    for (int i = 0; i < 8; i++) sums[i] += tap[n + i] * sample[n + i];
  }
  for (int i = 0; n < width; n++, i++) sums[i] += tap[n] * sample[n];
  return (float)(((sums[0] + sums[4]) + (sums[1] + sums[5])) + ((sums[2] + sums[6]) + (sums[3] + sums[7])));
}

// Samples are widened once for all the outputs that see them, so many at a time.
static int resample(const double* taps, int up, int down, int width, const float* samples, size_t sampleCount,
                    size_t window, int phase, float* out, size_t most) {
  constexpr size_t RUN = 512;
  double* wide = (double*)scratch(0, 2 * (width + RUN));
  size_t count = 0;
  while (count < most && window + width <= sampleCount) {
    const size_t first = window;
    const size_t length = sampleCount - first < width + RUN ? sampleCount - first : width + RUN;
    bool isSilent = true;
    for (size_t n = 0; n < length; n++) {
      wide[n] = samples[first + n];
      isSilent &= samples[first + n] == 0;
    }
    for (; count < most && window + width <= first + length; count++) {
      // A muted line's, and what was not sent: sums of nothing.
      out[count] = isSilent ? 0 : weighed(taps + (size_t)phase * width, wide + (window - first), width);
      for (phase += down; phase >= up; phase -= up) window++;
    }
  }
  return (int)count;
}
