/** Sizes of a one-dimensional convolution. */
export interface Conv1dShape {
  readonly inputs: number;
  readonly outputs: number;
  readonly kernel: number;
  /** Distance between taps in rows; 1 when absent. */
  readonly dilation?: number;
  /** Distance between outputs in rows; 1 when absent. */
  readonly stride?: number;
}

/**
 * A convolution over time without padding:
 * y[t, o] = bias[o] + Σ_k Σ_i weight[o, i, k] · x[t·stride + k·dilation, i].
 * Callers put padding or the history of a stream in front of x; equal windows give equal results, so a stream cut
 * anywhere gives the same bits as the whole.
 */
export interface Conv1d {
  readonly shape: Conv1dShape;
  /** Rows an output spans: (kernel − 1)·dilation + 1. */
  readonly span: number;
  /** Outputs of `inputRows` rows. */
  outputRows(inputRows: number): number;
  /** x [inputRows × inputs] → [outputRows × outputs]; `out` must not overlap `x`. */
  apply(x: Float32Array, inputRows: number, out?: Float32Array): Float32Array;
}

/** `weight` is [outputs × inputs × kernel] as in a checkpoint, `bias` [outputs] or null. */
export type PrepareConv1d = (weight: Float32Array, bias: Float32Array | null, shape: Conv1dShape) => Conv1d;
