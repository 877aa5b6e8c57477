/**
 * out = x · rsqrt(mean(x²) + epsilon) · weight, per row (docs/spec/model.md §1.2).
 *
 * `x` is [rows × weight.length]; `out` may be `x`.
 */
export type RmsNorm<T = Float32Array> = (x: T, rows: number, weight: T, epsilon: number, out?: T) => T;
