import type { CachePage } from '../../latent-attention/index.ts';
import { int8RowElements } from '../../latent-attention/int8-rows.ts';
import type { LatentRows } from '../../latent-block/index.ts';
import type { CacheType, TensorMemory } from '../../tensor-memory.ts';
import { PAGE_ROWS, PagePool } from './page-pool.ts';

/**
 * A context that takes more than this in float32 is held in bfloat16, which is the half (docs/spec/model.md §1.5);
 * rounding would cost a small model accuracy for nothing.
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
export class LatentCache<Page = CachePage> extends PagePool<Page> {
  readonly planes: number;
  /** Elements of a row, as `CachedRows` counts them. */
  readonly rowElements: number;

  /** @param maxPositions of all sequences together; more fail with `language-model.cache-full` */
  constructor(
    planes: number,
    width: number,
    maxPositions: number,
    type: CacheType,
    memory: Pick<TensorMemory<never, Page>, 'makePage'>,
  ) {
    const rowElements = type === 'int8' ? int8RowElements(width) : width;
    const elements = planes * PAGE_ROWS * rowElements;
    super(maxPositions, () => memory.makePage(type, elements));
    this.planes = planes;
    this.rowElements = rowElements;
  }
}

/** The rows of a step in the cache. */
export class CachedRows<Page = CachePage> implements LatentRows<Page> {
  readonly pageRows = PAGE_ROWS;
  readonly segments: LatentRows<Page>['segments'];
  readonly #rowElements: number;

  constructor(segments: LatentRows<Page>['segments'], rowElements: number) {
    this.segments = segments;
    this.#rowElements = rowElements;
  }

  /** Where a plane begins in every page. */
  offsetOf(plane: number): number {
    return plane * PAGE_ROWS * this.#rowElements;
  }
}
