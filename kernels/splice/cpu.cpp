// Copies frames side by side; frames outside the run are its edge frames.
static void splice(const float* frames, int first, int count, int width, int left, int right, int stride,
                   int firstVector, int vectors, float* out) {
  const int last = first + count - 1;
  for (int k = firstVector; k < firstVector + vectors; k++) {
    for (int t = stride * k - left; t <= stride * k + right; t++, out += width) {
      const int frame = t < 0 ? 0 : t > last ? last : t;
      memcpy(out, frames + (size_t)(frame - first) * width, sizeof(float) * width);
    }
  }
}
