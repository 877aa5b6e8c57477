struct Neighbours {
  int near, far;
  double share;
};

// Half-pixel centres, clamped at the edges.
KERNEL_INLINE Neighbours neighboursOf(int at, int size, int outSize) {
  double source = (at + 0.5) * size / outSize - 0.5;
  if (source < 0) source = 0;
  int near = (int)source;
  if (near > size - 1) near = size - 1;
  return {near, near + 1 > size - 1 ? size - 1 : near + 1, source - near};
}

// In double like the reference, one rounding at the end.
static void resizeBilinear(const float* x, int rows, int columns, int width, int outRows, int outColumns, float* out) {
  for (int row = 0; row < outRows; row++) {
    const Neighbours v = neighboursOf(row, rows, outRows);
    for (int column = 0; column < outColumns; column++, out += width) {
      const Neighbours h = neighboursOf(column, columns, outColumns);
      const float* topLeft = x + ((size_t)v.near * columns + h.near) * width;
      const float* topRight = x + ((size_t)v.near * columns + h.far) * width;
      const float* bottomLeft = x + ((size_t)v.far * columns + h.near) * width;
      const float* bottomRight = x + ((size_t)v.far * columns + h.far) * width;
      for (int i = 0; i < width; i++) {
        const double top = topLeft[i] * (1 - h.share) + topRight[i] * h.share;
        const double bottom = bottomLeft[i] * (1 - h.share) + bottomRight[i] * h.share;
        out[i] = (float)(top * (1 - v.share) + bottom * v.share);
      }
    }
  }
}
