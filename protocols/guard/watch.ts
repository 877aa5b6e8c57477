import type { Timer } from '../../actors/core/clock.ts';
import type { Timers } from './timers.ts';

export interface WatchLimits {
  /** Without any frame from the peer. */
  readonly idleMs: number;
  /** From the opening. */
  readonly lifetimeMs: number;
}

/** Ends a connection from which nothing comes any more, and one that has lived long enough. */
export class ConnectionWatch {
  readonly #clock: Timers;
  readonly #limits: WatchLimits;
  readonly #onExpired: (why: 'idle' | 'lifetime') => void;
  readonly #endsAtMs: number;
  #lastFrameAtMs: number;
  #timer: Timer;

  constructor(clock: Timers, limits: WatchLimits, onExpired: (why: 'idle' | 'lifetime') => void) {
    this.#clock = clock;
    this.#limits = limits;
    this.#onExpired = onExpired;
    this.#lastFrameAtMs = clock.nowMs();
    this.#endsAtMs = clock.nowMs() + limits.lifetimeMs;
    this.#timer = clock.setTimer(this.#waitMs(), () => this.#look());
  }

  /** A frame came. */
  seen(): void {
    this.#lastFrameAtMs = this.#clock.nowMs();
  }

  stop(): void {
    this.#timer.cancel();
  }

  /** One timer for both: it looks again where a frame has come since. */
  #look(): void {
    const waitMs = this.#waitMs();
    if (waitMs > 0) this.#timer = this.#clock.setTimer(waitMs, () => this.#look());
    else this.#onExpired(this.#clock.nowMs() >= this.#endsAtMs ? 'lifetime' : 'idle');
  }

  #waitMs(): number {
    const dueMs = Math.min(this.#endsAtMs, this.#lastFrameAtMs + this.#limits.idleMs);
    return Math.max(0, dueMs - this.#clock.nowMs());
  }
}
