/**
 * (x − mean) / √(variance + eps) · weight + bias over each row of [rows × width], width = weight.length; the variance
 * is the biased one. `out` may be `x`.
 */
export type LayerNorm = (
  x: Float32Array,
  rows: number,
  weight: Float32Array,
  bias: Float32Array,
  eps: number,
  out?: Float32Array,
) => Float32Array;
