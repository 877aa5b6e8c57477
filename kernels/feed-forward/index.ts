import type { LinearWeight } from '../linear/index.ts';

/** gate and up [inner × hidden], down [hidden × inner], without biases. */
export interface FeedForwardWeights {
  readonly gate: LinearWeight;
  readonly up: LinearWeight;
  readonly down: LinearWeight;
}

export interface FeedForward {
  /**
   * down(SiLU(gate x) ⊙ up x), row by row (docs/spec/model.md §1.2).
   *
   * @param x [rows × hidden]
   * @param out [rows × hidden]; must not overlap `x`
   */
  apply(x: Float32Array, rows: number, out?: Float32Array): Float32Array;
}

export type PrepareFeedForward = (weights: FeedForwardWeights) => FeedForward;
