// The fast sine holds below this argument; beyond it the library's double-precision one takes over.
constexpr float SNAKE_LIMIT = 8192.0f;

// One run of values with one alpha and one 1/(alpha + 1e-9) each.
static void snakeRun(const float* x, const float* alpha, const float* scale, int count, float* out) {
  V worst = {};
  for (int i = 0; i < count; i += LANES) {
    const int n = count - i < LANES ? count - i : LANES;
    worst = larger(magnitude(loadPart(alpha + i, n) * loadPart(x + i, n)), worst);
  }
  if (maxLanes(worst) >= SNAKE_LIMIT) {
    for (int i = 0; i < count; i++) {
      const double s = sin((double)alpha[i] * x[i]);
      out[i] = (float)(x[i] + s * s * scale[i]);
    }
    return;
  }
  for (int i = 0; i < count; i += LANES) {
    const int n = count - i < LANES ? count - i : LANES;
    const V v = loadPart(x + i, n);
    storePart(out + i, fma(sineSquaredV(loadPart(alpha + i, n), v), loadPart(scale + i, n), v), n);
  }
}

// A few rows at a time, so that narrow rows fill whole vectors: their alphas are laid out as often.
static void snake(const float* x, int rows, int channels, const float* alpha, float* out) {
  const int together = rows < LANES || channels > 256 ? 1 : LANES;
  const int run = together * channels;
  float* alphas = scratch(0, 2 * (size_t)run);
  float* scales = alphas + run;
  for (int i = 0; i < run; i++) {
    alphas[i] = alpha[i % channels];
    scales[i] = (float)(1.0 / (alphas[i] + 1e-9));
  }
  for (int r = 0; r < rows; r += together) {
    const int count = (rows - r < together ? rows - r : together) * channels;
    snakeRun(x + (size_t)r * channels, alphas, scales, count, out + (size_t)r * channels);
  }
}
