// x += scale ⊙ branch, the scale per column of rows `width` wide; null: x += branch.
static void residual(float* x, size_t count, const float* branch, const float* scale, int width) {
  if (!scale) {
    for (size_t i = 0; i < count; i += LANES) {
      const int n = count - i < (size_t)LANES ? (int)(count - i) : LANES;
      storePart(x + i, loadPart(x + i, n) + loadPart(branch + i, n), n);
    }
    return;
  }
  for (size_t row = 0; row < count; row += width) {
    for (int i = 0; i < width; i += LANES) {
      const int n = width - i < LANES ? width - i : LANES;
      storePart(x + row + i, loadPart(x + row + i, n) + loadPart(scale + i, n) * loadPart(branch + row + i, n), n);
    }
  }
}
