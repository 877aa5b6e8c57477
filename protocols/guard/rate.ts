import type { Timers } from './timers.ts';

/** Frames of a kind that a door takes none of: each is told off at once, and more of them end the connection. */
export const ODD_FRAMES = { perSecond: 10, burst: 50 } as const;

/** How often something may happen: a bucket that fills by `perSecond` and holds `burst`. */
export class RateGuard {
  readonly #clock: Timers;
  readonly #perMs: number;
  readonly #burst: number;
  #left: number;
  #atMs: number;

  constructor(clock: Timers, perSecond: number, burst: number) {
    this.#clock = clock;
    this.#perMs = perSecond / 1000;
    this.#burst = burst;
    this.#left = burst;
    this.#atMs = clock.nowMs();
  }

  /** Whether it may happen once more now. */
  take(count = 1): boolean {
    const nowMs = this.#clock.nowMs();
    this.#left = Math.min(this.#burst, this.#left + (nowMs - this.#atMs) * this.#perMs);
    this.#atMs = nowMs;
    if (this.#left < count) return false;
    this.#left -= count;
    return true;
  }
}
