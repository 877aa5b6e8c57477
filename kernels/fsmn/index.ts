/** Shape of one FSMN memory (docs/spec/model.md §3.4). */
export interface FsmnShape {
  readonly width: number;
  /** Taps before and after the present one. */
  readonly left: number;
  readonly right: number;
  /** Distance between taps in vectors. */
  readonly dilation: number;
}

/**
 * A depthwise memory: y_t = x_t + Σ_{k=−left…right} K_k ⊙ g_{t + k·dilation}.
 * `apply` takes x as [rows × width] and g as [(left·dilation + rows + right·dilation) × width], the g of row t being
 * row left·dilation + t, and writes y as [rows × width]; `out` may be `x`.
 */
export interface Fsmn {
  readonly shape: FsmnShape;
  apply(x: Float32Array, g: Float32Array, rows: number, out?: Float32Array): Float32Array;
}

/** `kernel` is [width × taps], taps ordered oldest to newest (the checkpoint's [width, 1, taps]). */
export type PrepareFsmn = (kernel: Float32Array, shape: FsmnShape) => Fsmn;
