import type { Weight } from '../weights/index.ts';

export interface LatentShape {
  readonly heads: number;
  /** Width of the key part without rotation, per head. */
  readonly nope: number;
  /** Width of the rotated part, per head in the query, shared by all heads in the key. */
  readonly rope: number;
  /** Width of a head's value. */
  readonly value: number;
  /** Width of the cached latent. */
  readonly rank: number;
}

/**
 * A page of a cache: floats, bfloat16 numbers as their bits, or int8 with scales (`int8-rows.ts`); the same in all
 * pages of a cache.
 */
export type CachePage = Float32Array | Uint16Array | Int8Array;

/**
 * One plane (attention sub-layer) of one sequence's cache: rows of [latent | rotated key], `rank + rope` numbers each.
 */
export interface LatentPlane {
  readonly pages: readonly CachePage[];
  /** Positions per page. */
  readonly pageRows: number;
  /** Elements before the plane's first row, the same in every page. */
  readonly offset: number;
}

/** Consecutive query rows of one sequence. */
export interface LatentSegment {
  readonly rows: number;
  /** Position of the first of them; query row r sees the cache rows 0 … start + r. */
  readonly start: number;
  readonly plane: LatentPlane;
}

export interface LatentAttention {
  /**
   * Causal attention in the absorbed form (docs/spec/model.md §1.3): latents are never expanded, prefill and decode do
   * the same arithmetic, and a row's result does not depend on how rows were grouped.
   *
   * @param q [Σ rows × heads × (nope + rope)], rope part rotated; rows in the order of the segments
   * @returns [Σ rows × heads × value]
   */
  apply(q: Float32Array, segments: readonly LatentSegment[], out?: Float32Array): Float32Array;
}

/** `expansion` is kv_b: [heads × (nope + value)] × rank, per head first the key rows, then the value rows. */
export type PrepareLatentAttention = (expansion: Weight, shape: LatentShape) => LatentAttention;
