import type { CachePage } from '../../latent-attention/index.ts';
import type { LatentRows } from '../../latent-block/index.ts';
import { PAGE_ROWS, PagePool } from './page-pool.ts';

/** How a row is held: rounded to bfloat16 it has the 64,512 bytes of docs/spec/model.md §1.5, else twice as many. */
export type CacheType = 'bf16' | 'f32';

/**
 * A context that takes more than this in float32 is held in bfloat16; rounding would cost a small model accuracy for
 * nothing.
 */
const LARGE_CONTEXT_BYTES = 64 << 20;

/** @param positions of one full context */
export function cacheTypeFor(planes: number, rowWidth: number, positions: number): CacheType {
  return planes * rowWidth * positions * Float32Array.BYTES_PER_ELEMENT > LARGE_CONTEXT_BYTES
    ? 'bf16'
    : 'f32';
}

/**
 * KV cache of all sequences (docs/spec/model.md §1.5): a row is [latent | rotated key], a page holds `PAGE_ROWS`
 * positions of every plane.
 */
export class LatentCache extends PagePool<CachePage> {
  readonly planes: number;
  readonly rowWidth: number;

  /** @param maxPositions of all sequences together; more fail with `language-model.cache-full` */
  constructor(planes: number, rowWidth: number, maxPositions: number, type: CacheType) {
    const numbers = planes * PAGE_ROWS * rowWidth;
    super(maxPositions, () => (type === 'bf16' ? new Uint16Array(numbers) : new Float32Array(numbers)));
    this.planes = planes;
    this.rowWidth = rowWidth;
  }
}

/** The rows of a step in the cache. */
export class CachedRows implements LatentRows {
  readonly pageRows = PAGE_ROWS;
  readonly segments: LatentRows['segments'];
  readonly #rowWidth: number;

  constructor(segments: LatentRows['segments'], rowWidth: number) {
    this.segments = segments;
    this.#rowWidth = rowWidth;
  }

  /** Where a plane begins in every page. */
  offsetOf(plane: number): number {
    return plane * PAGE_ROWS * this.#rowWidth;
  }
}
