// turns: per position the cosines, then the sines, of `headDim / 4` frequencies.
static void rotary2d(const float* x, int rows, int columns, int heads, int headDim, const float* turns, float* out) {
  const int half = headDim / 2;
  const int quarter = headDim / 4;
  for (int row = 0; row < rows; row++) {
    for (int column = 0; column < columns; column++) {
      for (int h = 0; h < heads; h++, x += headDim, out += headDim) {
        for (int part = 0; part < 2; part++) {
          const float* cosines = turns + (size_t)(part == 0 ? row : column) * 2 * quarter;
          const float* sines = cosines + quarter;
          const int at = part * quarter;
          for (int j = 0; j < quarter; j++) {
            const float first = x[at + j];
            const float second = x[at + j + half];
            out[at + j] = first * cosines[j] - second * sines[j];
            out[at + j + half] = second * cosines[j] + first * sines[j];
          }
        }
      }
    }
  }
}
