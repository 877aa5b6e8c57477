/** Where a unit's patches lie: patch i sits at row floor(i / columns), column i mod columns. */
export interface RotaryGrid {
  readonly rows: number;
  readonly columns: number;
}

/**
 * Two-dimensional rotary position embedding (docs/spec/model.md §2.4). The head's first quarter of frequencies turns
 * with the row, the second with the column; component j is paired with j + headDim/2 ("rotate-half").
 *
 * `x` is [rows·columns × heads·headDim], headDim a multiple of 4. `out` may be `x`.
 */
export type Rotary2d = (
  x: Float32Array,
  grid: RotaryGrid,
  heads: number,
  headDim: number,
  base: number,
  out?: Float32Array,
) => Float32Array;
