/**
 * out = x · rsqrt(mean(x²) + epsilon) · weight, per row (docs/spec/model.md §1.2).
 *
 * `x` is [rows × weight.length]; `out` may be `x`.
 */
export type RmsNorm = (
  x: Float32Array,
  rows: number,
  weight: Float32Array,
  epsilon: number,
  out?: Float32Array,
) => Float32Array;
