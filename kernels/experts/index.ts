import type { LinearWeight } from '../linear/index.ts';
import type { Routing } from '../router/index.ts';

/** SwiGLU expert without biases: gate and up [inner × hidden], down [hidden × inner]. */
export interface ExpertWeights {
  readonly gate: LinearWeight;
  readonly up: LinearWeight;
  readonly down: LinearWeight;
}

export interface Experts<T = Float32Array> {
  /**
   * Σ_j w_j · E_j(x): indices below the number of experts are computed, those above return x (identity experts).
   * A row's terms are added in ascending order of the expert, each product rounded to float32
   * (docs/spec/model.md §1.4).
   *
   * @param x [rows × hidden]
   * @param out [rows × hidden]; must not overlap `x`
   */
  apply(x: T, rows: number, routing: Routing, out?: T): T;
}

export type PrepareExperts<T = Float32Array> = (
  experts: readonly ExpertWeights[],
  hidden: number,
) => Experts<T>;
