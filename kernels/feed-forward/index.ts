import type { LinearWeight } from '../linear/index.ts';

/** gate and up [inner × hidden], down [hidden × inner], without biases. */
export interface FeedForwardWeights {
  readonly gate: LinearWeight;
  readonly up: LinearWeight;
  readonly down: LinearWeight;
}

export interface FeedForward<T = Float32Array> {
  /**
   * down(SiLU(gate x) ⊙ up x), row by row (docs/spec/model.md §1.2).
   *
   * @param x [rows × hidden]
   * @param out [rows × hidden]; must not overlap `x`
   */
  apply(x: T, rows: number, out?: T): T;
}

export type PrepareFeedForward<T = Float32Array> = (weights: FeedForwardWeights) => FeedForward<T>;
