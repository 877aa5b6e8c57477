// The fast sine holds below this argument; beyond it the library's double-precision one takes over, value by value.
constexpr float SNAKE_LIMIT = 8192.0f;

// So many lanes of one vector.
KERNEL_INLINE void snakeVector(const float* x, const float* alpha, const float* scale, int n, float* out) {
  const V v = loadPart(x, n), a = loadPart(alpha, n);
  const V bent = fma(sineSquaredV(a, v), loadPart(scale, n), v);
  if (__builtin_expect(!anyAtLeast(magnitude(a * v), SNAKE_LIMIT), 1)) return storePart(out, bent, n);
  for (int i = 0; i < n; i++) {
    const double s = sin((double)alpha[i] * x[i]);
    const bool isFast = !(fabsf(alpha[i] * x[i]) >= SNAKE_LIMIT);
    out[i] = isFast ? bent[i] : (float)(x[i] + s * s * scale[i]);
  }
}

// Rows of whole vectors one at a time; of narrow ones a few, so that they fill whole vectors: their alphas are laid out
// as often.
static void snake(const float* x, int rows, int channels, const float* alpha, float* out) {
  const int together = channels % LANES == 0 || rows < LANES || channels > 256 ? 1 : LANES;
  const int run = together * channels;
  float* alphas = scratch(0, 2 * (size_t)run);
  float* scales = alphas + run;
  for (int i = 0; i < run; i++) {
    alphas[i] = i < channels ? alpha[i] : alphas[i - channels];
    scales[i] = i < channels ? (float)(1.0 / (alphas[i] + 1e-9)) : scales[i - channels];
  }
  for (int r = 0; r < rows; r += together, x += run, out += run) {
    const int count = (rows - r < together ? rows - r : together) * channels;
    int i = 0;
    for (; i + LANES <= count; i += LANES) snakeVector(x + i, alphas + i, scales + i, LANES, out + i);
    if (i < count) snakeVector(x + i, alphas + i, scales + i, count - i, out + i);
  }
}
