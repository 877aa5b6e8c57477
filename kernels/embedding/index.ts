import type { Weight } from '../weights/index.ts';

/** Marks a place that adds nothing. */
export const NO_ROW = -1;

export interface Embedding<T = Float32Array> {
  /**
   * Sums table rows: row r of the result is the sum of row ids[r × tables + t] of every table t, in their order.
   *
   * @param ids [rows × tables], `NO_ROW` or a row of the table
   * @param out [≥ rows × width]; its first rows are written
   */
  apply(ids: Int32Array, rows: number, out: T): void;
}

/** `tables`: each [entries × width]; bfloat16 rows are widened when they are looked up. */
export type PrepareEmbedding<T = Float32Array> = (tables: readonly Weight[], width: number) => Embedding<T>;
