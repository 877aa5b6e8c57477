static void rmsNorm(const float* x, int rows, int width, const float* weight, float epsilon, float* out) {
  for (int r = 0; r < rows; r++, x += width, out += width) {
    V squares = {};
    for (int i = 0; i < width; i += LANES) {
      const V v = loadPart(x + i, width - i < LANES ? width - i : LANES);
      squares = fma(v, v, squares);
    }
    const V scale = splat((float)(1.0 / sqrt((double)sumLanes(squares) / width + epsilon)));
    for (int i = 0; i < width; i += LANES) {
      const int n = width - i < LANES ? width - i : LANES;
      storePart(out + i, loadPart(weight + i, n) * (loadPart(x + i, n) * scale), n);
    }
  }
}
