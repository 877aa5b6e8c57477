// Asks for cached rows before they are read. The caches of many sequences lie in no inner cache of the processor, and a
// block asked for in one go only waits for memory earlier: the lines are asked for a few at a time, between the
// multiply-adds.
struct Ahead {
  static constexpr int LINE_BYTES = 64;

  const LatentSegment* segment;
  int row, end;  // Rows that have not been asked for.
  size_t width, rowBytes;
  const char* at;
  const char* runEnd;
};

KERNEL_INLINE size_t cachedBytes(CacheType type) {
  return type == CacheType::f32 ? 4 : type == CacheType::bf16 ? 2 : 1;
}

KERNEL_INLINE const char* cachedRow(const LatentSegment& segment, size_t width, int row) {
  const size_t before = segment.offset + (row % segment.pageRows) * rowElements(segment.type, width);
  return (const char*)segment.pages[row / segment.pageRows] + before * cachedBytes(segment.type);
}

KERNEL_INLINE Ahead aheadOf(const LatentSegment* segment, int width, int row, int end) {
  const size_t rowBytes = rowElements(segment->type, width) * cachedBytes(segment->type);
  return {segment, row, end, (size_t)width, rowBytes, nullptr, nullptr};
}

KERNEL_INLINE int linesOf(const Ahead& a) { return (int)(((a.end - a.row) * a.rowBytes) / Ahead::LINE_BYTES) + 1; }

KERNEL_INLINE void askFor(Ahead& a, int lines) {
  for (; lines > 0; lines--, a.at += Ahead::LINE_BYTES) {
    if (a.at >= a.runEnd) {
      if (a.row >= a.end) return;
      const int left = a.segment->pageRows - a.row % a.segment->pageRows;
      const int rows = left < a.end - a.row ? left : a.end - a.row;
      a.at = cachedRow(*a.segment, a.width, a.row);
      a.runEnd = a.at + rows * a.rowBytes;
      a.row += rows;
    }
    __builtin_prefetch(a.at);
  }
}
