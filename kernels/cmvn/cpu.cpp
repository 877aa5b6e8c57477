static void cmvn(const float* x, int rows, int width, const float* mean, const float* deviation, float* out) {
  for (int r = 0; r < rows; r++, x += width, out += width) {
    for (int i = 0; i < width; i++) out[i] = (float)(((double)x[i] - mean[i]) / deviation[i]);
  }
}
