/**
 * A two-dimensional convolution over (time, frequency) without padding, frequency stride 1 (docs/spec/model.md §4.2).
 * A row is one time step and holds its channels one after the other, each with `bands` frequencies:
 * y[t, o, f] = bias[o] + Σ_i Σ_a Σ_b weight[o, i, a, b] · x[t·timeStride + a, i, f + b].
 */
export interface Conv2d {
  readonly shape: Conv2dShape;
  readonly outputBands: number;
  outputRows(inputRows: number): number;
  /** x [inputRows × inputs·bands] → [outputRows × outputs·outputBands]; `out` must not overlap `x`. */
  apply(x: Float32Array, inputRows: number, out?: Float32Array): Float32Array;
}

export interface Conv2dShape {
  readonly inputs: number;
  readonly outputs: number;
  /** Side of the square kernel. */
  readonly kernel: number;
  /** Frequencies of the input. */
  readonly bands: number;
  readonly timeStride: number;
}

/** `weight` is [outputs × inputs × kernel × kernel], time before frequency; `bias` [outputs]. */
export type PrepareConv2d = (weight: Float32Array, bias: Float32Array, shape: Conv2dShape) => Conv2d;
