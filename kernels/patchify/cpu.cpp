// levels: [3 × 256] the value of each 8-bit level. Writes patches in raster order, within a patch (channel, frame, row,
// column).
static void patchify(const uint8_t* const* frames, int frameCount, int height, int width, int patch,
                     const float* levels, float* out) {
  for (int top = 0; top < height; top += patch) {
    for (int left = 0; left < width; left += patch) {
      for (int channel = 0; channel < 3; channel++) {
        const float* of = levels + channel * 256;
        for (int f = 0; f < frameCount; f++) {
          for (int y = top; y < top + patch; y++) {
            const uint8_t* from = frames[f] + ((size_t)y * width + left) * 3 + channel;
            for (int x = 0; x < patch; x++) *out++ = of[from[3 * x]];
          }
        }
      }
    }
  }
}
