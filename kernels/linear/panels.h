// How packed weights lie: outputs in panels.

// A panel is PANEL vectors of outputs wide; a tile holds MAX_TILE_ROWS × PANEL accumulators in registers.
#if defined(__AVX512F__)
constexpr int PANEL = 4;
constexpr int MAX_TILE_ROWS = 6;
constexpr int GEMV_PANELS = 2;
#elif defined(__AVX2__)
constexpr int PANEL = 2;
constexpr int MAX_TILE_ROWS = 6;
constexpr int GEMV_PANELS = 4;
#else
constexpr int PANEL = 4;
constexpr int MAX_TILE_ROWS = 4;
constexpr int GEMV_PANELS = 2;
#endif
constexpr int PANEL_WIDTH = PANEL * LANES;

KERNEL_INLINE int ceilDiv(int a, int b) { return (a + b - 1) / b; }

// Vectors in panel p: PANEL, but for the last.
KERNEL_INLINE int panelVectors(int outputs, int p) {
  const int rest = outputs - p * PANEL_WIDTH;
  return rest >= PANEL_WIDTH ? PANEL : ceilDiv(rest, LANES);
}

// Rows of a tile over so many vectors: a narrow tile is higher, so that enough sums are under way.
constexpr int tileRows(int vectors) { return vectors == 1 || 2 * vectors <= PANEL ? 2 * MAX_TILE_ROWS : MAX_TILE_ROWS; }
