import type { Weight } from '../weights/index.ts';

/**
 * Which experts a row goes to, in ascending order of the expert, and with which weight (the factor included). The
 * experts take it from the router; a device that keeps it brings it to the host when somebody looks.
 */
export interface Routing {
  readonly topK: number;
  /** [rows × topK] */
  readonly indices: Int32Array;
  /** [rows × topK]: factor · softmax probability, not renormalised. */
  readonly weights: Float32Array;
}

export interface Router<T = Float32Array> {
  /** @param x [rows × hidden], the normed state */
  apply(x: T, rows: number): Routing;
}

/**
 * Softmax over all experts in float32, choice by probability + `selectionBias`, weight by probability alone
 * (docs/spec/model.md §1.4). Equal choices: the lower index wins.
 */
export type PrepareRouter<T = Float32Array> = (
  classifier: Weight,
  selectionBias: Float32Array,
  topK: number,
  factor: number,
) => Router<T>;
