/**
 * Nearest codebook row. Inputs are scaled to unit length first (docs/spec/model.md §4.2 and §4.4); with
 * `metric: 'euclidean'` the codebook rows are taken as they are, with `'cosine'` they are scaled to unit length too.
 * Ties go to the smaller index.
 */
export interface VectorQuantizer {
  readonly entries: number;
  readonly width: number;
  /** x [rows × width] → [rows] indices. */
  nearest(x: Float32Array, rows: number): Int32Array;
}

export interface VectorQuantizerShape {
  readonly entries: number;
  readonly width: number;
  readonly metric: 'euclidean' | 'cosine';
}

/** `codebook` is [entries × width]. */
export type PrepareVectorQuantizer = (codebook: Float32Array, shape: VectorQuantizerShape) => VectorQuantizer;
