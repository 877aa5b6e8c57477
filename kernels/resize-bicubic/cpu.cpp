// Pillow's fixed-point passes: integers, so every engine gives the same bytes.
constexpr int FRACTION_BITS = 22;

static uint8_t clipToByte(int32_t sum) {
  const int32_t value = sum >> FRACTION_BITS;
  return (uint8_t)(value < 0 ? 0 : value > 255 ? 255 : value);
}

static void bicubicHorizontal(const uint8_t* data, int width, int height, int channels, int outWidth,
                              const int32_t* first, const int32_t* count, const int32_t* weights, int stride,
                              uint8_t* out) {
  for (int y = 0; y < height; y++) {
    for (int x = 0; x < outWidth; x++) {
      const uint8_t* from = data + ((size_t)y * width + first[x]) * channels;
      for (int channel = 0; channel < channels; channel++) {
        int32_t sum = 1 << (FRACTION_BITS - 1);
        for (int i = 0; i < count[x]; i++) sum += from[i * channels + channel] * weights[(size_t)x * stride + i];
        *out++ = clipToByte(sum);
      }
    }
  }
}

static void bicubicVertical(const uint8_t* data, int rowLength, int outHeight, const int32_t* first,
                            const int32_t* count, const int32_t* weights, int stride, uint8_t* out) {
  int32_t* sums = (int32_t*)scratch(0, rowLength);
  for (int y = 0; y < outHeight; y++) {
    for (int x = 0; x < rowLength; x++) sums[x] = 1 << (FRACTION_BITS - 1);
    for (int i = 0; i < count[y]; i++) {
      const int32_t weight = weights[(size_t)y * stride + i];
      const uint8_t* from = data + (size_t)(first[y] + i) * rowLength;
      for (int x = 0; x < rowLength; x++) sums[x] += from[x] * weight;
    }
    for (int x = 0; x < rowLength; x++) *out++ = clipToByte(sums[x]);
  }
}
