static void relu6(const float* x, size_t count, float* out) {
  for (size_t i = 0; i < count; i += LANES) {
    const int n = count - i < (size_t)LANES ? (int)(count - i) : LANES;
    const V v = loadPart(x + i, n);
    // Written so that NaN stays NaN.
    const V above = v < splat(0.0f) ? splat(0.0f) : v;
    storePart(out + i, above > splat(6.0f) ? splat(6.0f) : above, n);
  }
}
