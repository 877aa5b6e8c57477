import type { CachePage, LatentShape } from '../latent-attention/index.ts';
import type { LinearWeight } from '../linear/index.ts';
import type { Weight } from '../weights/index.ts';

/** Multi-head latent attention with its projections (docs/spec/model.md §1.3). */
export interface LatentBlockWeights {
  /** q_a [query rank × hidden] and q_b [heads × (nope + rope) × query rank]. */
  readonly queryDown: LinearWeight;
  readonly queryUp: LinearWeight;
  /** kv_a [rank + rope × hidden]: the latent's rows, then the shared key's. */
  readonly latentDown: LinearWeight;
  /** kv_b, see latent-attention. */
  readonly expansion: Weight;
  /** o [hidden × heads × value]. */
  readonly output: LinearWeight;
  /** Norm weights, the factors on the two latents included. */
  readonly queryNorm: Float32Array;
  readonly latentNorm: Float32Array;
}

export interface LatentBlockShape extends LatentShape {
  readonly ropeBase: number;
  readonly normEpsilon: number;
}

/** The rows of a step, described once for all blocks; rows in the order of the segments. */
export interface LatentRows<Page = CachePage> {
  /** Rows per page. */
  readonly pageRows: number;
  readonly segments: readonly {
    readonly rows: number;
    /** Position of the first row. */
    readonly start: number;
    /** The sequence's cache, room for its new rows included. */
    readonly pages: readonly Page[];
  }[];
}

export interface LatentBlock<T = Float32Array, Page = CachePage> {
  /**
   * Writes the rows' latents and rotated keys into the cache, then attends from each row to all before it and itself.
   *
   * @param x [Σ rows × hidden], normed
   * @param offset elements before the block's first row in every page
   * @param out [Σ rows × hidden]; must not overlap `x`
   */
  apply(x: T, rows: LatentRows<Page>, offset: number, out?: T): T;
}

export type PrepareLatentBlock<T = Float32Array, Page = CachePage> = (
  weights: LatentBlockWeights,
  shape: LatentBlockShape,
) => LatentBlock<T, Page>;
