import { schedulerOf, xstateClockOf } from '../../actors/core/clock-faces.ts';
import { type Clock, type Random, type Timer, VirtualClock } from '../../actors/core/index.ts';

const MOST_LATE_MS = 7;

/** A machine's clock as it is on a bad day, seeded: timers fire late, and time passes while things are done. */
export class LateClock implements Clock {
  readonly virtual = new VirtualClock();
  readonly #random: Random;
  #readings = 0;
  readonly scheduler = schedulerOf(
    () => this.nowMs(),
    (delayMs, callback) => this.setTimer(delayMs, callback),
  );
  readonly xstate = xstateClockOf((delayMs, callback) => this.setTimer(delayMs, callback));

  constructor(random: Random) {
    this.#random = random;
  }

  /** No two readings are alike. */
  nowMs(): number {
    return this.virtual.nowMs() + ++this.#readings * 1e-6;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    return this.virtual.setTimer(delayMs + this.#random.next() * MOST_LATE_MS, callback);
  }

  settle<T>(work: Promise<T>, costMs?: number): Promise<T> {
    return this.virtual.settle(work, costMs);
  }
}
