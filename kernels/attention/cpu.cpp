// Per head: scores as a product with the packed keys, softmax, product with the packed values; some queries at a time.
constexpr int QUERY_BLOCK = 36;

static void scaleValues(float* values, size_t count, float factor) {
  for (size_t i = 0; i < count; i += LANES) {
    const int n = count - i < (size_t)LANES ? (int)(count - i) : LANES;
    storePart(values + i, loadPart(values + i, n) * splat(factor), n);
  }
}

static void attention(const float* q, const float* k, const float* v, int rows, int heads, int headDim, float scale,
                      float* out) {
  const size_t width = (size_t)heads * headDim;
  Matrix keys = {rows, headDim, WeightType::f32, nullptr, nullptr};
  Matrix values = {headDim, rows, WeightType::f32, nullptr, nullptr};
  keys.panels = scratch(0, matrixBytes(rows, headDim, WeightType::f32) / 4);
  values.panels = scratch(1, matrixBytes(headDim, rows, WeightType::f32) / 4);
  float* scores = scratch(2, (size_t)QUERY_BLOCK * rows);
  for (int h = 0; h < heads; h++) {
    const size_t column = (size_t)h * headDim;
    packPanels(k + column, rows, headDim, width, 1, (float*)keys.panels);
    packPanels(v + column, headDim, rows, 1, width, (float*)values.panels);
    for (int r = 0; r < rows; r += QUERY_BLOCK) {
      const int count = rows - r < QUERY_BLOCK ? rows - r : QUERY_BLOCK;
      const Windows queries = {q + r * width + column, width, 1, 0, headDim};
      multiply(keys, queries, count, scores, rows, 0, panelCount(keys));
      scaleValues(scores, (size_t)count * rows, scale);
      for (int i = 0; i < count; i++) {
        const float total = exponentials(scores + (size_t)i * rows, rows);
        scaleValues(scores + (size_t)i * rows, rows, 1.0f / total);
      }
      multiply(values, plainRows(scores, rows), count, out + r * width + column, width, 0, panelCount(values));
    }
  }
}
