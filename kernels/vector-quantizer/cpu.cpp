// In double and in the reference's order, some entries side by side: codes must not flip on a rounding.
// codebook is [width × entries].
static void nearest(const double* codebook, const double* squares, int entries, int width, const float* x, int rows,
                    int32_t* indices) {
  constexpr int TOGETHER = 32;
  double* unit = (double*)scratch(0, 2 * (size_t)width);
  for (int r = 0; r < rows; r++, x += width) {
    double sum = 0;
    for (int i = 0; i < width; i++) sum += (double)x[i] * x[i];
    const double root = sqrt(sum);
    const double length = root > 1e-12 || root != root ? root : 1e-12;
    for (int i = 0; i < width; i++) unit[i] = x[i] / length;
    double smallest = __builtin_inf();
    indices[r] = 0;
    for (int e = 0; e < entries; e += TOGETHER) {
      const int count = entries - e < TOGETHER ? entries - e : TOGETHER;
      double dots[TOGETHER] = {};
      for (int i = 0; i < width; i++) {
        const double* row = codebook + (size_t)i * entries + e;
        for (int n = 0; n < count; n++) dots[n] += unit[i] * row[n];
      }
      for (int n = 0; n < count; n++) {
        const double distance = squares[e + n] - 2 * dots[n];
        if (distance < smallest) {
          smallest = distance;
          indices[r] = e + n;
        }
      }
    }
  }
}
