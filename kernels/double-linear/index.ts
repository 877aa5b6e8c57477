/**
 * bias + matrix · x in double, each row adding in the order of its columns, so that every engine gives the same bits.
 */
export interface DoubleLinear {
  /** [inputs] → [outputs], which are `out`. */
  apply(x: Float64Array, out: Float64Array): Float64Array;
}

/** `matrix` is [bias.length × inputs], row after row; there are fours of rows. Both are kept. */
export type PrepareDoubleLinear = (matrix: Float64Array, bias: Float64Array) => DoubleLinear;
