static void rotaryTurns(int rows, int pairs, const float* frequencies, const int32_t* positions, float* turns) {
  for (int r = 0; r < rows; r++, turns += 2 * pairs) {
    for (int i = 0; i < pairs; i++) {
      // The product is rounded to float first: at position 100,000 that rounding is visible.
      const float angle = (float)((double)positions[r] * frequencies[i]);
      turns[i] = (float)cos(angle);
      turns[pairs + i] = (float)sin(angle);
    }
  }
}

// In double like the reference: the few products are not worth a different rounding.
static void rotate(float* x, int rows, size_t stride, size_t offset, int heads, size_t headStride, int pairs,
                   const float* turns) {
  for (int r = 0; r < rows; r++, turns += 2 * pairs) {
    for (int h = 0; h < heads; h++) {
      float* pair = x + r * stride + offset + h * headStride;
      for (int i = 0; i < pairs; i++, pair += 2) {
        const double even = pair[0];
        const double odd = pair[1];
        pair[0] = (float)(even * turns[i] - odd * turns[pairs + i]);
        pair[1] = (float)(even * turns[pairs + i] + odd * turns[i]);
      }
    }
  }
}
