import type { QuantisedWeight, Weight } from '../weights/index.ts';

/** y = x·Wᵀ + b, prepared once per weight. */
export interface Linear<T = Float32Array> {
  readonly inputs: number;
  readonly outputs: number;
  /**
   * @param x [rows × inputs]
   * @param out [rows × outputs]; allocated when absent, may be longer than needed, must not overlap `x`
   * @returns `out`
   */
  apply(x: T, rows: number, out?: T): T;
}

/** With int8 weights x is brought to int8 too, see int8.ts. */
export type LinearWeight = Weight | QuantisedWeight;

/** `weight` is [outputs × inputs] (further axes are flattened into inputs), `bias` [outputs] or null. */
export type PrepareLinear<T = Float32Array> = (weight: LinearWeight, bias: Float32Array | null) => Linear<T>;
