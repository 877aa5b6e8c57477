/** Weights of one layer in PyTorch's layout: gate rows in the order i, f, g, o, two bias vectors. */
export interface LstmWeights {
  /** Width of an input row. */
  readonly inputs: number;
  /** Width of h and c, and of an output row. */
  readonly hidden: number;
  /** [4·hidden × inputs] */
  readonly inputWeight: Float32Array;
  /** [4·hidden × hidden] */
  readonly recurrentWeight: Float32Array;
  /** [4·hidden] each */
  readonly inputBias: Float32Array;
  readonly recurrentBias: Float32Array;
}

/** What one stream carries from row to row; `apply` changes it in place. Zeros at the start. */
export interface LstmState {
  readonly h: Float32Array;
  readonly c: Float32Array;
}

/**
 * [i|f|g|o] = W_i·x + b_i + W_r·h + b_r;  c ← σ(f)·c + σ(i)·tanh(g);  h ← σ(o)·tanh(c);  the output row is h.
 */
export interface Lstm {
  readonly inputs: number;
  readonly hidden: number;
  /** `rows` consecutive time steps of one stream: x [rows × inputs] → [rows × hidden]; `out` must not overlap `x`. */
  apply(x: Float32Array, rows: number, state: LstmState, out?: Float32Array): Float32Array;
}

export type PrepareLstm = (weights: LstmWeights) => Lstm;
