/**
 * Bilinear interpolation of a grid of vectors, half-pixel centres, no antialias (docs/spec/model.md §2.8; the same rule
 * as PyTorch's `interpolate(mode="bilinear", align_corners=False)`).
 *
 * `x` is [rows × columns × width], row-major; the result is [outRows × outColumns × width].
 */
export type ResizeBilinear = (
  x: Float32Array,
  rows: number,
  columns: number,
  width: number,
  outRows: number,
  outColumns: number,
  out?: Float32Array,
) => Float32Array;
