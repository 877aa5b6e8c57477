/** What a network and a careless carrier do to frames, by a seed. */
import type { Random } from '../../actors/core/index.ts';

export interface Faults {
  /** Shares of media frames, 0–1. */
  readonly lose?: number;
  readonly duplicate?: number;
  /** Goes behind the frame after it. */
  readonly swap?: number;
  /** Comes so much later than it should, and thus behind others. */
  readonly delay?: number;
  readonly delayMs?: number;
  /** Cut in the middle, so that it is no frame any more. */
  readonly cut?: number;
}

/** Frames that leave now, and those that leave later. */
export interface Fate<T> {
  readonly now: T[];
  readonly later: { readonly frame: T; readonly afterMs: number }[];
}

export class FaultyPath<T> {
  readonly #faults: Faults;
  readonly #random: Random;
  readonly #cut: (frame: T) => T;
  #swapped: T | null = null;

  constructor(faults: Faults, random: Random, cut: (frame: T) => T) {
    this.#faults = faults;
    this.#random = random;
    this.#cut = cut;
  }

  send(frame: T): Fate<T> {
    const { lose = 0, duplicate = 0, swap = 0, delay = 0, delayMs = 60, cut = 0 } = this.#faults;
    const waiting = this.#swapped;
    this.#swapped = null;
    const behind = waiting === null ? [] : [waiting];
    if (this.#happens(lose)) return { now: behind, later: [] };
    const sent = this.#happens(cut) ? this.#cut(frame) : frame;
    if (waiting === null && this.#happens(swap)) {
      this.#swapped = sent;
      return { now: [], later: [] };
    }
    if (this.#happens(delay)) return { now: behind, later: [{ frame: sent, afterMs: delayMs }] };
    const copies = this.#happens(duplicate) ? [sent, sent] : [sent];
    return { now: [...copies, ...behind], later: [] };
  }

  #happens(share: number): boolean {
    return share > 0 && this.#random.next() < share;
  }
}
