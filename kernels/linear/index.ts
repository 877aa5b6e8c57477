import type { QuantisedWeight, Weight } from '../weights/index.ts';

/** y = x·Wᵀ + b, prepared once per weight. */
export interface Linear {
  readonly inputs: number;
  readonly outputs: number;
  /**
   * @param x [rows × inputs]
   * @param out [rows × outputs]; allocated when absent, may be longer than needed, must not overlap `x`
   * @returns `out`
   */
  apply(x: Float32Array, rows: number, out?: Float32Array): Float32Array;
}

/** With int8 weights x is brought to int8 too, see int8.ts. */
export type LinearWeight = Weight | QuantisedWeight;

/** `weight` is [outputs × inputs] (further axes are flattened into inputs), `bias` [outputs] or null. */
export type PrepareLinear = (weight: LinearWeight, bias: Float32Array | null) => Linear;
