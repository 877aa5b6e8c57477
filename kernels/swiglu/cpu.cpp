static void swiglu(const float* gate, const float* up, size_t count, float* out) {
  for (size_t i = 0; i < count; i += LANES) {
    const int n = count - i < (size_t)LANES ? (int)(count - i) : LANES;
    const V g = loadPart(gate + i, n);
    storePart(out + i, g / (splat(1.0f) + expV(-g)) * loadPart(up + i, n), n);
  }
}
