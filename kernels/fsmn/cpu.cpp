// kernel is [taps × width]: the taps of neighbouring columns lie side by side.
static void fsmn(const float* kernel, int width, int taps, int dilation, const float* x, const float* g, int rows,
                 float* out) {
  const size_t step = (size_t)dilation * width;
  for (int t = 0; t < rows; t++, x += width, g += width, out += width) {
    for (int i = 0; i < width; i += LANES) {
      const int n = width - i < LANES ? width - i : LANES;
      V memory = {};
      for (int k = 0; k < taps; k++) {
        memory = fma(loadPart(kernel + (size_t)k * width + i, n), loadPart(g + k * step + i, n), memory);
      }
      storePart(out + i, loadPart(x + i, n) + memory, n);
    }
  }
}
