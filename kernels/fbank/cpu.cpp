// docs/spec/model.md §3.1 in double, like the reference; only the result is rounded.
static void fbank(const FbankPlan& plan, const float* samples, int frames, float* out) {
  const int length = plan.frameLength;
  double* frame = (double*)scratch(1, 2 * (size_t)length);
  double* power = (double*)scratch(2, 2 * (size_t)(plan.fft.size / 2 + 1));
  for (int t = 0; t < frames; t++, samples += plan.frameShift) {
    frame[0] = (samples[0] * plan.scale - plan.preEmphasis * (samples[0] * plan.scale)) * plan.window[0];
    for (int n = 1; n < length; n++) {
      frame[n] = (samples[n] * plan.scale - plan.preEmphasis * (samples[n - 1] * plan.scale)) * plan.window[n];
    }
    powerSpectrum(plan.fft, frame, length, power);
    const double* weights = plan.weights;
    for (int bin = 0; bin < plan.bins; bin++) {
      const int first = plan.extents[2 * bin];
      const int count = plan.extents[2 * bin + 1];
      double energy = 0;
      for (int i = 0; i < count; i++) energy += weights[i] * power[first + i];
      weights += count;
      *out++ = (float)log(energy > plan.floor ? energy : energy == energy ? plan.floor : energy);
    }
  }
}
