// Decimation in time, radix 2, in double. The twiddles of a stage of `half` butterflies lie at [half, 2·half), so that
// the inner loop runs over neighbours.
static void transform(const FftPlan& plan, const double* frame, int frameLength, double* __restrict re,
                      double* __restrict im) {
  for (int n = 0; n < plan.size; n++) {
    const int from = plan.order[n];
    re[n] = from < frameLength ? frame[from] : 0;
    im[n] = 0;
  }
  for (int half = 1; half < plan.size; half *= 2) {
    const double* cosine = plan.cosine + half;
    const double* sine = plan.sine + half;
    for (int start = 0; start < plan.size; start += 2 * half) {
      double* __restrict lowRe = re + start;
      double* __restrict lowIm = im + start;
      double* __restrict highRe = re + start + half;
      double* __restrict highIm = im + start + half;
      for (int k = 0; k < half; k++) {
        const double tr = highRe[k] * cosine[k] - highIm[k] * sine[k];
        const double ti = highRe[k] * sine[k] + highIm[k] * cosine[k];
        highRe[k] = lowRe[k] - tr;
        highIm[k] = lowIm[k] - ti;
        lowRe[k] += tr;
        lowIm[k] += ti;
      }
    }
  }
}

static void fft(const FftPlan& plan, const double* frame, int frameLength, double* real, double* imaginary) {
  double* re = (double*)scratch(0, 4 * (size_t)plan.size);
  double* im = re + plan.size;
  transform(plan, frame, frameLength, re, im);
  memcpy(real, re, sizeof(double) * (plan.size / 2 + 1));
  memcpy(imaginary, im, sizeof(double) * (plan.size / 2 + 1));
}

static void powerSpectrum(const FftPlan& plan, const double* frame, int frameLength, double* power) {
  double* re = (double*)scratch(0, 4 * (size_t)plan.size);
  double* im = re + plan.size;
  transform(plan, frame, frameLength, re, im);
  for (int k = 0; k <= plan.size / 2; k++) power[k] = re[k] * re[k] + im[k] * im[k];
}
