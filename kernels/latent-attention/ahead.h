// Asks for cached rows before they are read. The caches of many sequences lie in no inner cache of the processor, and a page
// asked for in one go only waits for memory earlier: the lines are asked for a few at a time, between the multiply-adds.
// Runs over the pages of all segments in the order in which they are read first.
struct Ahead {
  static constexpr int LINE_FLOATS = 16;
  // So far the cursor is ahead of the reading.
  static constexpr int LEAD_LINES = 96;

  const LatentSegment* segment;
  const LatentSegment* end;
  int width;
  int row;
  const float* at;
  const float* pageEnd;
};

KERNEL_INLINE bool toNextPage(Ahead& a) {
  while (a.segment != a.end && a.row >= a.segment->start + a.segment->rows) {
    a.segment++;
    a.row = 0;
  }
  if (a.segment == a.end) return false;
  const int left = a.segment->start + a.segment->rows - a.row;
  const int rows = left < a.segment->pageRows ? left : a.segment->pageRows;
  a.at = a.segment->pages[a.row / a.segment->pageRows] + a.segment->offset;
  a.pageEnd = a.at + (size_t)rows * a.width;
  a.row += rows;
  return true;
}

KERNEL_INLINE void askFor(Ahead& a, int lines) {
  for (; lines > 0; lines--, a.at += Ahead::LINE_FLOATS) {
    if (a.at >= a.pageEnd && !toNextPage(a)) return;
    __builtin_prefetch(a.at);
  }
}

// Lines to ask for with every row that is scored and every row that is mixed: together a row, mostly while scoring, which
// takes longer. None where the rows have been read before.
struct AskedLines {
  int scoring, mixing;
};

KERNEL_INLINE AskedLines linesToAsk(int width, bool readBefore) {
  if (readBefore) return {0, 0};
  const int lines = ceilDiv(width, Ahead::LINE_FLOATS);
  return {lines - lines / 4, lines / 4};
}
