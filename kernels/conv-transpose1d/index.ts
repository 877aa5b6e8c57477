/**
 * A transposed convolution whose kernel equals its stride, so that outputs of different inputs do not overlap
 * (docs/spec/model.md §4.5): y[t·stride + k, o] = bias[o] + Σ_i weight[i, o, k] · x[t, i].
 */
export interface ConvTranspose1d {
  readonly inputs: number;
  readonly outputs: number;
  readonly stride: number;
  /** x [rows × inputs] → [rows·stride × outputs]; `out` must not overlap `x`. */
  apply(x: Float32Array, rows: number, out?: Float32Array): Float32Array;
}

/** `weight` is [inputs × outputs × stride] as in a checkpoint, `bias` [outputs] or null. */
export type PrepareConvTranspose1d = (
  weight: Float32Array,
  bias: Float32Array | null,
  shape: { readonly inputs: number; readonly outputs: number; readonly stride: number },
) => ConvTranspose1d;
