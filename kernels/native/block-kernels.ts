import type { NativeHandle, StoredValues } from './handles.ts';

type StoredWeights = readonly StoredValues[];
type StoredScales = readonly (Float32Array | null)[];

/** Runs of operations in one call of the addon. */
export interface BlockKernels {
  feedForward(
    gate: NativeHandle,
    up: NativeHandle,
    down: NativeHandle,
    x: Float32Array,
    rows: number,
    out: Float32Array,
  ): void;

  createCacheRows(): NativeHandle;
  /**
   * `segments`: per segment rows, start, pages; `pages` those of all segments, which must live as long as the handle
   * describes them.
   */
  describeCacheRows(
    rows: NativeHandle,
    segments: Int32Array,
    segmentCount: number,
    pageRows: number,
    pages: readonly (Float32Array | Uint16Array | Int8Array)[],
  ): void;
  /**
   * `dimensions`: hidden, query rank, heads, nope, rope, value, rank; weights: query down and up, latent down, output.
   */
  prepareLatentBlock(
    dimensions: Int32Array,
    weights: StoredWeights,
    scales: StoredScales,
    expansion: Float32Array,
    queryNorm: Float32Array,
    latentNorm: Float32Array,
    frequencies: Float32Array,
    normEpsilon: number,
  ): NativeHandle;
  latentBlock(
    block: NativeHandle,
    rows: NativeHandle,
    offset: number,
    x: Float32Array,
    out: Float32Array,
  ): void;

  /** `entries` rows in each table; bfloat16 in a Uint16Array. */
  prepareEmbedding(tables: StoredWeights, width: number, entries: Int32Array): NativeHandle;
  embed(embedding: NativeHandle, ids: Int32Array, rows: number, out: Float32Array): void;

  prepareCodebookHeads(
    heads: StoredWeights,
    scales: StoredScales,
    cascade: readonly Float32Array[],
    count: number,
    codes: number,
    width: number,
  ): NativeHandle;
  /** `histories` [rows × heads × window], of which `counts` [rows × heads] entries are filled. */
  codebookHeads(
    heads: NativeHandle,
    hidden: Float32Array,
    rows: number,
    histories: Int32Array,
    counts: Int32Array,
    window: number,
    factor: number,
    codes: Int32Array,
    logits: Float32Array | null,
  ): void;
}
