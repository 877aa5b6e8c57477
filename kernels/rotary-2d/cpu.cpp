// turns: per position the cosines, then the sines, of `headDim / 4` frequencies. The first half of a head turns against
// the second: a quarter of either by the row, a quarter by the column.
static void rotary2d(const float* x, int rows, int columns, int heads, int headDim, const float* turns, float* out) {
  const int half = headDim / 2;
  const int quarter = headDim / 4;
  const size_t bytes = sizeof(float) * quarter;
  float* cosines = scratch(0, 2 * (size_t)half);
  float* sines = cosines + half;
  for (int row = 0; row < rows; row++) {
    const float* byRow = turns + (size_t)row * half;
    memcpy(cosines, byRow, bytes);
    memcpy(sines, byRow + quarter, bytes);
    for (int column = 0; column < columns; column++) {
      const float* byColumn = turns + (size_t)column * half;
      memcpy(cosines + quarter, byColumn, bytes);
      memcpy(sines + quarter, byColumn + quarter, bytes);
      for (int h = 0; h < heads; h++, x += headDim, out += headDim) {
        for (int i = 0; i < half; i += LANES) {
          const int n = half - i < LANES ? half - i : LANES;
          const V cosine = loadPart(cosines + i, n), sine = loadPart(sines + i, n);
          const V first = loadPart(x + i, n), second = loadPart(x + half + i, n);
          storePart(out + i, first * cosine - second * sine, n);
          storePart(out + half + i, second * cosine + first * sine, n);
        }
      }
    }
  }
}
