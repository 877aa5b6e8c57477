import type { Clock } from '../../actors/core/index.ts';

/** Somebody who goes by the metronome. */
export interface Beat {
  /** Passed over until it is false again; the beats go on being counted. */
  rests: boolean;
  /** No more beats come. */
  leave(): void;
}

/** Calls its listeners at a fixed pace, all in one event of the clock, in the order in which they joined. */
export class Metronome {
  readonly periodMs: number;
  /** Of the newest beat, and how many there have been. */
  beatMs: number;
  beats = 0;
  readonly #clock: Clock;
  readonly #listeners = new Set<{ rests: boolean; readonly onBeat: () => void }>();

  constructor(clock: Clock, periodMs: number, phaseMs: number) {
    this.#clock = clock;
    this.periodMs = periodMs;
    this.beatMs = phaseMs;
    this.#arm();
  }

  join(onBeat: () => void): Beat {
    const listener = { rests: false, onBeat, leave: () => void this.#listeners.delete(listener) };
    this.#listeners.add(listener);
    return listener;
  }

  #arm(): void {
    const nextMs = this.beatMs + this.periodMs;
    this.#clock.setTimer(nextMs - this.#clock.nowMs(), () => {
      this.beatMs = nextMs;
      this.beats += 1;
      for (const listener of this.#listeners) if (!listener.rests) listener.onBeat();
      this.#arm();
    });
  }
}
