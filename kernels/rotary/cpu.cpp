// In double like the reference: the few products are not worth a different rounding.
static void rotary(float* x, int rows, size_t stride, size_t offset, int heads, size_t headStride, int pairs,
                   const float* frequencies, const int32_t* positions) {
  float* cosines = scratch(0, 2 * (size_t)pairs);
  float* sines = cosines + pairs;
  for (int r = 0; r < rows; r++) {
    for (int i = 0; i < pairs; i++) {
      // The product is rounded to float first: at position 100,000 that rounding is visible.
      const float angle = (float)((double)positions[r] * frequencies[i]);
      cosines[i] = (float)cos(angle);
      sines[i] = (float)sin(angle);
    }
    for (int h = 0; h < heads; h++) {
      float* pair = x + r * stride + offset + h * headStride;
      for (int i = 0; i < pairs; i++, pair += 2) {
        const double even = pair[0];
        const double odd = pair[1];
        pair[0] = (float)(even * cosines[i] - odd * sines[i]);
        pair[1] = (float)(even * sines[i] + odd * cosines[i]);
      }
    }
  }
}
