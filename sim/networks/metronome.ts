import type { Clock } from '../../actors/core/index.ts';

/** Calls its listeners at a fixed pace, all in one event of the clock, in the order in which they joined. */
export class Metronome {
  readonly #clock: Clock;
  readonly #periodMs: number;
  readonly #listeners = new Set<() => void>();
  #nextMs: number;

  constructor(clock: Clock, periodMs: number, phaseMs: number) {
    this.#clock = clock;
    this.#periodMs = periodMs;
    this.#nextMs = phaseMs;
    this.#arm();
  }

  /** Returns what leaves again. */
  join(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #arm(): void {
    this.#nextMs += this.#periodMs;
    this.#clock.setTimer(this.#nextMs - this.#clock.nowMs(), () => {
      for (const listener of this.#listeners) listener();
      this.#arm();
    });
  }
}
