static void gelu(const float* x, size_t count, float* out) {
  for (size_t i = 0; i < count; i += LANES) {
    const int n = count - i < (size_t)LANES ? (int)(count - i) : LANES;
    storePart(out + i, geluV(loadPart(x + i, n)), n);
  }
}
