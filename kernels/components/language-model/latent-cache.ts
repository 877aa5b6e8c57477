import { RuntimeError } from '../../errors.ts';
import type { CachePage } from '../../latent-attention/index.ts';
import type { LatentRows } from '../../latent-block/index.ts';

/** Positions per page. */
const PAGE_ROWS = 32;

/** How a row is held: rounded to bfloat16 it has the 64,512 bytes of docs/spec/model.md §1.5, else twice as many. */
export type CacheType = 'bf16' | 'f32';

/** A context that takes more than this in float32 is held in bfloat16; rounding would cost a small model accuracy for nothing. */
const LARGE_CONTEXT_BYTES = 64 << 20;

/** @param positions of one full context */
export function cacheTypeFor(planes: number, rowWidth: number, positions: number): CacheType {
  return planes * rowWidth * positions * Float32Array.BYTES_PER_ELEMENT > LARGE_CONTEXT_BYTES
    ? 'bf16'
    : 'f32';
}

/**
 * KV cache of all sequences (docs/spec/model.md §1.5): a row is [latent | rotated key], a page holds `PAGE_ROWS` positions of
 * every plane. Sequences hold whole pages; a freed page serves the next sequence.
 */
export class LatentCache {
  readonly planes: number;
  readonly rowWidth: number;
  readonly #maxPages: number;
  readonly #free: CachePage[] = [];
  readonly #type: CacheType;
  #pages = 0;

  /** @param maxPositions of all sequences together; more fail with `language-model.cache-full` */
  constructor(planes: number, rowWidth: number, maxPositions: number, type: CacheType) {
    this.#type = type;
    this.planes = planes;
    this.rowWidth = rowWidth;
    this.#maxPages = Math.ceil(maxPositions / PAGE_ROWS);
  }

  openSequence(): CachedSequence {
    return new CachedSequence(this);
  }

  /** @throws RuntimeError `language-model.cache-full` when fewer than `pages` can be handed out */
  checkRoom(pages: number): void {
    const freePages = this.#maxPages - this.#pages + this.#free.length;
    if (pages <= freePages) return;
    throw new RuntimeError(
      'language-model.cache-full',
      'The KV cache has no room for these positions.',
      { pages, freePages, pageRows: PAGE_ROWS },
      'Close or truncate other sequences, or load the model with a larger cache.',
    );
  }

  takePage(): CachePage {
    const page = this.#free.pop();
    if (page) return page;
    this.#pages++;
    const numbers = this.planes * PAGE_ROWS * this.rowWidth;
    return this.#type === 'bf16' ? new Uint16Array(numbers) : new Float32Array(numbers);
  }

  returnPage(page: CachePage): void {
    this.#free.push(page);
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

/** The cache of one sequence. Rows beyond `length` are scratch: truncation and rollback only set the length. */
export class CachedSequence {
  readonly #cache: LatentCache;
  readonly #pages: CachePage[] = [];
  #length = 0;

  constructor(cache: LatentCache) {
    this.#cache = cache;
  }

  get length(): number {
    return this.#length;
  }

  /** Pages that `positions` more rows would take from the pool. */
  pagesNeeded(positions: number): number {
    return Math.max(0, Math.ceil((this.#length + positions) / PAGE_ROWS) - this.#pages.length);
  }

  /** Makes room for rows `length` … `length + positions − 1`; they count only after `setLength`. See `checkRoom`. */
  reserve(positions: number): void {
    const needed = this.pagesNeeded(positions);
    for (let i = 0; i < needed; i++) this.#pages.push(this.#cache.takePage());
  }

  /** Sets the number of valid rows and gives back pages that hold none. */
  setLength(length: number): void {
    this.#length = length;
    const kept = Math.ceil(length / PAGE_ROWS);
    for (const page of this.#pages.splice(kept)) this.#cache.returnPage(page);
  }

  /** The next `rows` rows, for which there is room; see `reserve`. */
  nextRows(rows: number): CachedRows['segments'][number] {
    return { rows, start: this.#length, pages: this.#pages };
  }
}
