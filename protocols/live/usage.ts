/**
 * The length of a session, told meanwhile and at its end. Cumulative, never a difference (docs/spec/gpt-live.md §9).
 */
import type { Timer } from '../../actors/core/clock.ts';
import type { Timers } from '../guard/index.ts';
import type { Outbox } from './outbox.ts';
import type { Timeline } from './timeline.ts';

const TOLD_EVERY_MS = 10_000;

export interface UsageOptions {
  readonly clock: Timers;
  readonly timeline: Timeline;
  readonly outbox: Outbox;
}

export class UsageMeter {
  readonly #options: UsageOptions;
  #timer: Timer;
  #isStopped = false;

  constructor(options: UsageOptions) {
    this.#options = options;
    this.#timer = this.#tellLater();
  }

  get soFar(): { readonly seconds: number } {
    return { seconds: Math.round(this.#options.timeline.nowMs / 100) / 10 };
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer.cancel();
  }

  #tellLater(): Timer {
    const { clock, outbox } = this.#options;
    return clock.setTimer(TOLD_EVERY_MS, () => {
      outbox.send('session.usage.updated', { usage: this.soFar });
      // A client that does not read may have ended it.
      if (!this.#isStopped) this.#timer = this.#tellLater();
    });
  }
}
