/**
 * x + sin²(αx) / (α + 1e-9) with one α per column of [rows × channels] (docs/spec/model.md §4.3); `out` may be `x`.
 */
export type Snake = (x: Float32Array, rows: number, alpha: Float32Array, out?: Float32Array) => Float32Array;
