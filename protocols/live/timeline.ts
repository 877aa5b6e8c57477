/** The one timeline of a session: whole milliseconds since it started, for both sides (docs/spec/gpt-live.md §6). */
import type { Timers } from '../guard/index.ts';

export interface TimelineSpan {
  readonly start_ms: number;
  readonly end_ms: number;
}

export class Timeline {
  readonly #clock: Timers;
  readonly #startedAtMs: number;
  #lastStartMs = 0;

  constructor(clock: Timers) {
    this.#clock = clock;
    this.#startedAtMs = clock.nowMs();
  }

  get nowMs(): number {
    return this.#clock.nowMs() - this.#startedAtMs;
  }

  /** This moment. */
  instant(): TimelineSpan {
    const ms = Math.round(this.nowMs);
    return { start_ms: ms, end_ms: ms };
  }

  /**
   * Where a fragment of a transcript stands. None begins before the one that was told last, whoever spoke: clients take
   * that for a new timeline. So the words of a user that were understood late stand where they were told.
   */
  fragment(fromMs: number, toMs: number): TimelineSpan {
    const start_ms = Math.max(this.#lastStartMs, Math.round(fromMs));
    this.#lastStartMs = start_ms;
    return { start_ms, end_ms: Math.max(start_ms, Math.round(toMs)) };
  }
}
