KERNEL_INLINE uint8_t level8(int value) { return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value); }

// A row of pixels at a time, first planes of their own so that the compiler vectorises, then interleaved.
static void yuvToRgb(const uint8_t* y, const uint8_t* u, const uint8_t* v, int width, int height, uint8_t* out) {
  constexpr int RUN = 256;
  uint8_t red[RUN], green[RUN], blue[RUN];
  const int chromaWidth = (width + 1) / 2;
  for (int row = 0; row < height; row++, y += width) {
    const uint8_t* us = u + (size_t)(row / 2) * chromaWidth;
    const uint8_t* vs = v + (size_t)(row / 2) * chromaWidth;
    for (int begin = 0; begin < width; begin += RUN) {
      const int count = width - begin < RUN ? width - begin : RUN;
      for (int i = 0; i < count; i++) {
        const int c = 298 * (y[begin + i] - 16) + 128;
        const int d = us[(begin + i) / 2] - 128;
        const int e = vs[(begin + i) / 2] - 128;
        red[i] = level8((c + 409 * e) >> 8);
        green[i] = level8((c - 100 * d - 208 * e) >> 8);
        blue[i] = level8((c + 516 * d) >> 8);
      }
      for (int i = 0; i < count; i++, out += 3) {
        out[0] = red[i];
        out[1] = green[i];
        out[2] = blue[i];
      }
    }
  }
}
