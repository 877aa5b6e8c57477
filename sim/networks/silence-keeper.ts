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
      if (this.#silentMs > this.#calmMs) {
        this.#keptMs += this.#packetMs;
        if (this.#keptMs >= MOST_MS) this.#give();
        return;
      }
    } else {
      this.#silentMs = 0;
      this.#give();
    }
    this.#push(samples);
  }

  #give(): void {
    if (this.#keptMs > 0) this.#push(uniform(0, this.#keptMs));
    this.#keptMs = 0;
  }
}
