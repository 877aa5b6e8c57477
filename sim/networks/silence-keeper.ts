/**
 * Silence in bunches: while nobody has spoken for so long that no silence decides anything any more, packets of it are
 * kept back and given just before the next one that is none. The runtime counts frames of the audio itself, so that it
 * decides the same at the same times; and a person who listens costs next to nothing (test/sim/silence.test.ts).
 */
import { uniform } from '../people/voice.ts';

/** So much is given at once at most. */
const MOST_MS = 4000;

export class SilenceKeeper {
  readonly #packetMs: number;
  readonly #calmMs: number;
  readonly #push: (samples: Float32Array) => void;
  readonly #silence: Float32Array;
  /** Silence since the last sound. */
  #silentMs = 0;
  #keptMs = 0;

  /** @param calmMs silence after which nothing depends on more of it; infinity: nothing is kept back */
  constructor(packetMs: number, calmMs: number, push: (samples: Float32Array) => void) {
    this.#packetMs = packetMs;
    this.#calmMs = calmMs;
    this.#push = push;
    this.#silence = uniform(0, packetMs);
  }

  /** In the order of the audio. */
  push(samples: Float32Array): void {
    if (samples === this.#silence) {
      this.#silentMs += this.#packetMs;
      if (this.isCalm) {
        this.#keptMs += this.#packetMs;
        return;
      }
    } else {
      this.#silentMs = 0;
      this.#give();
    }
    this.#push(samples);
  }

  /** More silence changes nothing. */
  get isCalm(): boolean {
    return this.#silentMs > this.#calmMs;
  }

  #give(): void {
    for (; this.#keptMs > 0; this.#keptMs -= Math.min(MOST_MS, this.#keptMs))
      this.#push(uniform(0, Math.min(MOST_MS, this.#keptMs)));
  }
}
