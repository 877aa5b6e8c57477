// Two passes, like the reference: the variance is taken around the mean.
static void layerNorm(const float* x, int rows, int width, const float* weight, const float* bias, float epsilon,
                      float* out) {
  for (int r = 0; r < rows; r++, x += width, out += width) {
    V sum = {};
    for (int i = 0; i < width; i += LANES) sum += loadPart(x + i, width - i < LANES ? width - i : LANES);
    const float mean = sumLanes(sum) / width;
    V squares = {};
    for (int i = 0; i < width; i += LANES) {
      const int n = width - i < LANES ? width - i : LANES;
      // The lanes behind the row must not count as deviations from the mean.
      float centred[LANES] = {};
      storePart(centred, loadPart(x + i, n) - splat(mean), n);
      const V v = load(centred);
      squares = fma(v, v, squares);
    }
    const V scale = splat((float)(1.0 / sqrt((double)sumLanes(squares) / width + epsilon)));
    for (int i = 0; i < width; i += LANES) {
      const int n = width - i < LANES ? width - i : LANES;
      const V normed = (loadPart(x + i, n) - splat(mean)) * scale;
      storePart(out + i, fma(normed, loadPart(weight + i, n), loadPart(bias + i, n)), n);
    }
  }
}
