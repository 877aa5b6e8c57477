import { concatPositions, type Positions } from '../../kernels/engine/index.ts';
import { addTokens, NO_TOKENS, type TokenCount } from '../chunk-interleaver/index.ts';
import type { Step } from './closing.ts';
import type { ItemRole } from './messages.ts';
import type { PadIds, PositionRun } from './position-run.ts';

/** What of a context belongs together: a turn of the user's, a reply, an instruction. */
export interface ContextItem {
  readonly itemId: string;
  readonly role: ItemRole;
  readonly turn: number;
  readonly run: PositionRun;
  readonly reply: ReplyRecord | null;
}

export interface ReplyRecord {
  readonly generationId: string;
  readonly speech: boolean;
  /** Positions of the run before step 0. */
  readonly headerLength: number;
  /** Positions of the run that stay when nothing of the reply does (a `close` that had no user item to go to). */
  readonly keptLength: number;
  /** The user item that took `close`, and its length before. */
  readonly closed: { readonly itemId: string; readonly length: number } | null;
  readonly header: Positions;
  /** What is said, or written before a call. */
  readonly steps: Step[];
  /** The tool calls after it. */
  call: Step[];
  /** Steps that followed and were cut: the far end may say later that they were heard. */
  cutSteps: Step[];
}

/**
 * The items of a context in their order, as one sequence of positions; knows from which of them on a cache of it is
 * stale.
 */
export class ItemList {
  #items: ContextItem[] = [];
  /** Positions of all items; kept, because every step of every session asks for it. */
  #length = 0;
  #editedFrom = Number.POSITIVE_INFINITY;

  get length(): number {
    return this.#length;
  }

  get items(): readonly ContextItem[] {
    return this.#items;
  }

  get last(): ContextItem | undefined {
    return this.#items[this.#items.length - 1];
  }

  /**
   * First position at which the content changed since the last call, other than by growing; Infinity if it only grew.
   */
  takeEdit(): number {
    const from = this.#editedFrom;
    this.#editedFrom = Number.POSITIVE_INFINITY;
    return from;
  }

  /** Nothing of a cache is good. */
  markAll(): void {
    this.#editedFrom = 0;
  }

  /**
   * Copies positions from `from` (which exists), at most up to `to`, as far as one rule of docs/spec/model.md §1.6
   * applies to them.
   */
  slice(from: number, to: number): Positions {
    const last = this.#items[this.#items.length - 1];
    const lastBase = this.#length - last.run.length;
    if (from >= lastBase) return last.run.slice(from - lastBase, to - lastBase);
    const parts: Positions[] = [];
    let base = 0;
    let next = from;
    for (const { run } of this.#items) {
      if (next < Math.min(to, base + run.length)) {
        const part = run.slice(next - base, to - base);
        if (parts.length > 0 && part.rule !== parts[0].rule) break;
        parts.push(part);
        next += part.textIds.length;
        if (next < Math.min(to, base + run.length)) break; // The rule changes inside the item.
      }
      base += run.length;
    }
    return concatPositions(parts);
  }

  /** The first `to` positions by what they carry. */
  count(to: number, pads: PadIds): TokenCount {
    let counted = NO_TOKENS;
    let base = 0;
    for (const { run } of this.#items) {
      if (base >= to) break;
      counted = addTokens(counted, run.count(to - base, pads));
      base += run.length;
    }
    return counted;
  }

  /** What is asked for is nearly always the last. */
  find(itemId: string): ContextItem | undefined {
    for (let i = this.#items.length - 1; i >= 0; i--) {
      if (this.#items[i].itemId === itemId) return this.#items[i];
    }
    return undefined;
  }

  lengthOf(isMeant: (item: ContextItem) => boolean): number {
    return this.#items.reduce((sum, item) => (isMeant(item) ? sum + item.run.length : sum), 0);
  }

  /** At the end. */
  push(item: ContextItem): void {
    this.#items.push(item);
    this.#length += item.run.length;
  }

  /** An empty item at the end, at the beginning (null) or behind another. */
  insert(item: ContextItem, after: string | null | undefined): void {
    this.#items.splice(this.#placeAfter(after), 0, item);
  }

  /** In their order to before another one. */
  move(moved: readonly ContextItem[], before: ContextItem): void {
    const order = this.#items.filter(item => !moved.includes(item));
    order.splice(order.indexOf(before), 0, ...moved);
    const changed = this.#items.find((item, i) => item !== order[i]);
    if (changed) this.#editedFrom = Math.min(this.#editedFrom, this.#baseOf(changed));
    this.#items = order;
  }

  remove(item: ContextItem): void {
    this.#markEdit(item, 0);
    this.#length -= item.run.length;
    this.#items = this.#items.filter(other => other !== item);
  }

  append(item: ContextItem, positions: Positions): void {
    this.#markEdit(item, item.run.length);
    item.run.append(positions);
    this.#length += positions.textIds.length;
  }

  appendStep({ run }: ContextItem, { textId, codes }: Step): void {
    run.appendStep(textId, codes);
    this.#length += 1;
  }

  /** Forgets everything of the item from its position `length` on. */
  cut(item: ContextItem, length: number): void {
    this.#markEdit(item, length);
    this.#length -= Math.max(0, item.run.length - length);
    item.run.cut(length);
  }

  /** An item that has gone meanwhile was among the oldest: what was to follow it stands where they were. */
  #placeAfter(after: string | null | undefined): number {
    if (after === undefined) return this.#items.length;
    if (after === null) return 0;
    const at = this.#items.findIndex(({ itemId }) => itemId === after);
    if (at >= 0) return at + 1;
    const first = this.#items.findIndex(({ role }) => role !== 'system');
    return first < 0 ? this.#items.length : first;
  }

  /** Growing at the very end leaves the cache true; anything else makes it stale from there. */
  #markEdit(item: ContextItem, offset: number): void {
    if (item === this.last && offset >= item.run.length) return;
    const at = this.#baseOf(item) + offset;
    if (at < this.#length) this.#editedFrom = Math.min(this.#editedFrom, at);
  }

  #baseOf(item: ContextItem): number {
    let base = 0;
    for (const other of this.#items) {
      if (other === item) break;
      base += other.run.length;
    }
    return base;
  }
}
