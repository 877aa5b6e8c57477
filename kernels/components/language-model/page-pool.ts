import { RuntimeError } from '../../errors.ts';

/** Positions per page. */
export const PAGE_ROWS = 32;

/**
 * The pages of all sequences, wherever they lie: what a page is (memory, or a number that says where on a device it is)
 * only its maker knows. Sequences hold whole pages; a freed page serves the next sequence.
 */
export class PagePool<Page> {
  readonly #maxPages: number;
  readonly #makePage: (index: number) => Page;
  readonly #free: Page[] = [];
  #pages = 0;

  /** @param maxPositions of all sequences together; more fail with `language-model.cache-full` */
  constructor(maxPositions: number, makePage: (index: number) => Page) {
    this.#maxPages = Math.ceil(maxPositions / PAGE_ROWS);
    this.#makePage = makePage;
  }

  openSequence(): CachedSequence<Page> {
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

  takePage(): Page {
    return this.#free.pop() ?? this.#makePage(this.#pages++);
  }

  returnPage(page: Page): void {
    this.#free.push(page);
  }
}

/** The next rows of a sequence, for which there is room. */
export interface NextRows<Page> {
  readonly rows: number;
  readonly start: number;
  readonly pages: readonly Page[];
}

/** The cache of one sequence. Rows beyond `length` are scratch: truncation and rollback only set the length. */
export class CachedSequence<Page> {
  readonly #pool: PagePool<Page>;
  readonly #pages: Page[] = [];
  #length = 0;

  constructor(pool: PagePool<Page>) {
    this.#pool = pool;
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
    for (let i = 0; i < needed; i++) this.#pages.push(this.#pool.takePage());
  }

  /** Sets the number of valid rows and gives back pages that hold none. */
  setLength(length: number): void {
    this.#length = length;
    const kept = Math.ceil(length / PAGE_ROWS);
    for (const page of this.#pages.splice(kept)) this.#pool.returnPage(page);
  }

  /** The next `rows` rows; see `reserve`. */
  nextRows(rows: number): NextRows<Page> {
    return { rows, start: this.#length, pages: this.#pages };
  }
}
