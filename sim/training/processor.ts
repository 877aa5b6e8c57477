/** A processor that several ranks share evenly, as processes of one machine do. */
import type { Clock, Timer } from '../../actors/core/index.ts';

interface TrainingJob {
  /** Share of work at which it is done, in the time that a job alone would have had. */
  readonly doneAt: number;
  readonly sequence: number;
  readonly done: () => void;
}

/** Below this two jobs are done together: sums of doubles are not exact. */
const EPSILON_MS = 1e-9;

export class Processor {
  readonly #clock: Clock;
  readonly #jobs: TrainingJob[] = [];
  /** Milliseconds of work that every job present since the beginning would have had. */
  #progress = 0;
  #seenMs = 0;
  #sequence = 0;
  #timer: Timer | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `done` after `ms` of the processor's time. */
  run(ms: number, done: () => void): void {
    this.#advance();
    this.#jobs.push({ doneAt: this.#progress + ms, sequence: this.#sequence++, done });
    this.#plan();
  }

  #advance(): void {
    const now = this.#clock.nowMs();
    if (this.#jobs.length > 0) this.#progress += (now - this.#seenMs) / this.#jobs.length;
    this.#seenMs = now;
  }

  #plan(): void {
    this.#timer?.cancel();
    this.#timer = null;
    if (this.#jobs.length === 0) return;
    const next = Math.min(...this.#jobs.map(({ doneAt }) => doneAt));
    const waitMs = Math.max(0, next - this.#progress) * this.#jobs.length;
    this.#timer = this.#clock.setTimer(waitMs, () => this.#finish(next));
  }

  #finish(at: number): void {
    this.#advance();
    this.#progress = Math.max(this.#progress, at);
    const ended = this.#jobs.filter(({ doneAt }) => doneAt <= this.#progress + EPSILON_MS);
    const left = this.#jobs.filter(({ doneAt }) => doneAt > this.#progress + EPSILON_MS);
    this.#jobs.splice(0, this.#jobs.length, ...left);
    this.#plan();
    for (const { done } of ended.sort((a, b) => a.sequence - b.sequence)) done();
  }
}
