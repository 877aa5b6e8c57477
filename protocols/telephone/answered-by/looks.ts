import { SESSION_INPUT_RATE_HZ } from '../../media/index.ts';

/** What is looked at at once. */
export const LOOK_MS = 20;
const LOOK = (SESSION_INPUT_RATE_HZ * LOOK_MS) / 1000;

/** Sound of any length, in looks of `LOOK_MS`. */
export class Looks {
  readonly #look = new Float32Array(LOOK);
  #filled = 0;

  /** `take` may keep nothing of what it is given. */
  push(samples: Float32Array, take: (look: Float32Array) => void): void {
    for (let at = 0; at < samples.length; ) {
      const count = Math.min(LOOK - this.#filled, samples.length - at);
      this.#look.set(samples.subarray(at, at + count), this.#filled);
      this.#filled += count;
      at += count;
      if (this.#filled < LOOK) return;
      this.#filled = 0;
      take(this.#look);
    }
  }
}
