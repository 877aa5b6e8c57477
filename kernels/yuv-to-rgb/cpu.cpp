KERNEL_INLINE uint8_t level8(int value) { return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value); }

// Runs of a row: the share of the chroma once per pair, spread over both pixels; planes of their own, which the
// compiler vectorises; then interleaved.
static void yuvToRgb(const uint8_t* y, const uint8_t* u, const uint8_t* v, int width, int height, uint8_t* out) {
  constexpr int RUN = 256;
  int ofRed[RUN], ofGreen[RUN], ofBlue[RUN];
  uint8_t red[RUN], green[RUN], blue[RUN];
  const int chromaWidth = (width + 1) / 2;
  for (int row = 0; row < height; row++, y += width) {
    for (int begin = 0; begin < width; begin += RUN) {
      const int count = width - begin < RUN ? width - begin : RUN;
      const uint8_t* us = u + (size_t)(row / 2) * chromaWidth + begin / 2;
      const uint8_t* vs = v + (size_t)(row / 2) * chromaWidth + begin / 2;
      for (int pair = 0; pair < (count + 1) / 2; pair++) {
        const int d = us[pair] - 128;
        const int e = vs[pair] - 128;
        ofRed[2 * pair] = ofRed[2 * pair + 1] = 409 * e + 128;
        ofGreen[2 * pair] = ofGreen[2 * pair + 1] = 128 - 100 * d - 208 * e;
        ofBlue[2 * pair] = ofBlue[2 * pair + 1] = 516 * d + 128;
      }
      for (int i = 0; i < count; i++) {
        const int c = 298 * (y[begin + i] - 16);
        red[i] = level8((c + ofRed[i]) >> 8);
        green[i] = level8((c + ofGreen[i]) >> 8);
        blue[i] = level8((c + ofBlue[i]) >> 8);
      }
      for (int i = 0; i < count; i++, out += 3) {
        out[0] = red[i];
        out[1] = green[i];
        out[2] = blue[i];
      }
    }
  }
}
