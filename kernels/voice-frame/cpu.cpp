// voice-frame/reference.ts in the same order, bit for bit; side by side are only sums that do not wait for each other.
#if defined(__AVX512F__)
constexpr int WIDE = 8;
#elif defined(__AVX2__)
constexpr int WIDE = 4;
#else
constexpr int WIDE = 2;
#endif
typedef double Wide __attribute__((vector_size(8 * WIDE)));

KERNEL_INLINE double sumOfBins(const double* power, int from, int to) {
  double sum = 0;
  for (int bin = from; bin < to; bin++) sum += power[bin];
  return sum;
}

static double sumOfSquares(const double* wave, int count) {
  double sum = 0;
  for (int i = 0; i < count; i++) sum += wave[i] * wave[i];
  return sum;
}

constexpr int TONE_BINS = 2;

static int strongestBin(const double* power, int bins, int lowest, int other) {
  int best = lowest;
  double most = -1;
  for (int bin = lowest; bin < bins; bin++) {
    const int away = bin > other ? bin - other : other - bin;
    if (power[bin] <= most || away <= 2 * TONE_BINS) continue;
    most = power[bin];
    best = bin;
  }
  return best;
}

static double aroundBin(const double* power, int bins, int lowest, int peak) {
  const int from = peak - TONE_BINS < lowest ? lowest : peak - TONE_BINS;
  return sumOfBins(power, from, peak + TONE_BINS + 1 < bins ? peak + TONE_BINS + 1 : bins);
}

static bool isTones(const VoiceFramePlan& plan, const double* power) {
  const int bins = plan.fft.size / 2 + 1;
  const double share = 0.95 * sumOfBins(power, plan.lowestBin, bins);
  const int first = strongestBin(power, bins, plan.lowestBin, -1);
  const int second = strongestBin(power, bins, plan.lowestBin, first);
  if (first < plan.lowestToneBin) return false;
  const double around = aroundBin(power, bins, plan.lowestBin, first);
  if (second < plan.lowestToneBin) return around >= share;
  return around + aroundBin(power, bins, plan.lowestBin, second) >= share;
}

// A vector holds neighbouring lags, the longest first: so they lie in the wave. The last are more than are asked for.
static void correlateLags(const double* wave, double* correlations) {
  constexpr int AT_ONCE = 7;
  const double* start = wave + VOICE_SHORTEST_LAG + VOICE_LAGS;
  for (int first = 0; first < VOICE_LAGS; first += AT_ONCE * WIDE) {
    Wide sums[AT_ONCE] = {};
    for (int i = 0; i < VOICE_WINDOW; i++) {
      const Wide value = Wide{} + start[i];
      for (int n = 0; n < AT_ONCE; n++) {
        Wide shifted;
        __builtin_memcpy(&shifted, start + i - VOICE_SHORTEST_LAG - first - WIDE * n - (WIDE - 1), sizeof shifted);
        sums[n] += value * shifted;
      }
    }
    for (int n = 0; n < AT_ONCE * WIDE && first + n < VOICE_LAGS; n++)
      correlations[first + n] = sums[n / WIDE][WIDE - 1 - n % WIDE];
  }
}

// `wave` begins with a few zeros that no lag wanted is made of.
static void measurePitch(const double* wave, double* harmonicity, double* best) {
  const double* start = wave + VOICE_SHORTEST_LAG + VOICE_LAGS;
  const double energy = sumOfSquares(start, VOICE_WINDOW);
  *harmonicity = *best = 0;
  if (!(energy >= 1e-9)) return;
  double shifted = sumOfSquares(start - VOICE_SHORTEST_LAG, VOICE_WINDOW);
  double correlations[VOICE_LAGS];
  correlateLags(wave, correlations);
  for (int lag = VOICE_SHORTEST_LAG; lag <= VOICE_LONGEST_LAG; lag++) {
    const double correlation = correlations[lag - VOICE_SHORTEST_LAG];
    const double inside = shifted > 0 ? shifted : 0;
    const double normalised = correlation > 0 ? correlation / sqrt(energy * inside + 1e-12) : 0;
    if (normalised > *harmonicity) {
      *harmonicity = normalised;
      *best = lag;
    }
    const double entering = start[-lag - 1];
    const double leaving = start[-lag - 1 + VOICE_WINDOW];
    shifted += entering * entering - leaving * leaving;
  }
}

static void voiceFrame(const VoiceFramePlan& plan, const float* samples, double* history, double* pitch,
                       double* measures) {
  const int size = plan.fft.size;
  memmove(history, history + plan.frame, sizeof(double) * (size - plan.frame));
  for (int i = 0; i < plan.frame; i++) history[size - plan.frame + i] = samples[i];
  const int pitched = plan.frame / plan.factor;
  memmove(pitch, pitch + pitched, sizeof(double) * (VOICE_PITCH - pitched));
  for (int i = 0; i < pitched; i++) {
    double sum = 0;
    for (int j = 0; j < plan.factor; j++) sum += samples[i * plan.factor + j];
    pitch[VOICE_PITCH - pitched + i] = sum / plan.factor;
  }
  double* windowed = (double*)scratch(1, 4 * (size_t)size + 4);
  double* power = windowed + size;
  for (int i = 0; i < size; i++) windowed[i] = history[i] * plan.window[i];
  powerSpectrum(plan.fft, windowed, size, power);
  double below = 0;
  for (int band = 0; band < VOICE_BANDS; band++) {
    measures[band] = sumOfBins(power, plan.edges[band], plan.edges[band + 1]);
    below += measures[band];
  }
  double* rest = measures + VOICE_BANDS;
  rest[0] = below;
  rest[1] = sumOfBins(power, plan.edges[VOICE_BANDS + 1], plan.edges[VOICE_BANDS + 2]);
  rest[2] = isTones(plan, power);
  double wave[8 + VOICE_PITCH] = {};
  memcpy(wave + 8, pitch, sizeof(double) * VOICE_PITCH);
  measurePitch(wave + 8, &rest[3], &rest[4]);
  double energy = 0;
  for (int i = 0; i < plan.frame; i++) energy += (double)samples[i] * samples[i];
  rest[5] = energy;
}
