import type { Clock } from '../../actors/core/index.ts';

/** A silence shorter than this is a stutter of the network, not the end of what the agent says. */
const SPURT_GAP_MS = 300;
/** Sums of times differ in their last digits; a wait shorter than this would never end. */
const GRAIN_MS = 1e-6;

/** The listener's end: audio is played as it arrives, one after another; what has not been played can be cleared. */
export class Ear {
  /** Stretches in which the queue ran dry in the middle of a reply. */
  stutters = 0;
  readonly #clock: Clock;
  readonly #renderMs: number;
  readonly #onStarted: (atMs: number) => void;
  readonly #onStopped: (atMs: number) => void;
  #startsMs = 0;
  #untilMs = 0;
  #isExpecting = false;
  #spurt = 0;

  constructor(
    clock: Clock,
    renderMs: number,
    onStarted: (atMs: number) => void,
    onStopped: (atMs: number) => void,
  ) {
    this.#clock = clock;
    this.#renderMs = renderMs;
    this.#onStarted = onStarted;
    this.#onStopped = onStopped;
  }

  /** Audio that arrives at `arrivalMs` (now or later). Returns when it will have been played. */
  play(arrivalMs: number, lengthMs: number): number {
    const readyMs = arrivalMs + this.#renderMs;
    if (!this.#isExpecting || readyMs > this.#untilMs + SPURT_GAP_MS) this.#startSpurt(readyMs);
    else if (readyMs > this.#untilMs) {
      this.stutters += 1;
      this.#untilMs = readyMs;
    }
    this.#untilMs += lengthMs;
    return this.#untilMs;
  }

  /** Everything that has not been played by then is gone. */
  clear(atMs: number): void {
    this.#untilMs = Math.min(this.#untilMs, Math.max(atMs, this.#startsMs));
  }

  #startSpurt(atMs: number): void {
    const spurt = ++this.#spurt;
    this.#isExpecting = true;
    this.#startsMs = atMs;
    this.#untilMs = atMs;
    const nowMs = this.#clock.nowMs();
    this.#clock.setTimer(atMs - nowMs, () => {
      if (this.#untilMs <= atMs || spurt !== this.#spurt) return;
      this.#onStarted(atMs);
      this.#watch(spurt);
    });
  }

  #watch(spurt: number): void {
    if (spurt !== this.#spurt) return;
    const waitMs = this.#untilMs + SPURT_GAP_MS - this.#clock.nowMs();
    if (waitMs > GRAIN_MS) {
      this.#clock.setTimer(waitMs, () => this.#watch(spurt));
      return;
    }
    this.#isExpecting = false;
    this.#onStopped(this.#untilMs);
  }
}
