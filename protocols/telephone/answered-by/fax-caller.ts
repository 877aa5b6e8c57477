import { SESSION_INPUT_RATE_HZ } from '../../media/index.ts';
import { FaxToneDetector } from './fax-tone.ts';
import { LOOK_MS, Looks } from './looks.ts';

/** A fax machine that calls is heard within four tones. */
const WATCH_MS = 15_000;

/** Whether a caller is a fax machine, at the beginning of a call. */
export class FaxCaller {
  readonly #tone = new FaxToneDetector('calling', SESSION_INPUT_RATE_HZ);
  readonly #looks = new Looks();
  #heardMs = 0;

  get isOver(): boolean {
    return this.#heardMs >= WATCH_MS;
  }

  /** The next sound of the line, 16 kHz. */
  isHeardIn(samples: Float32Array): boolean {
    let isFax = false;
    this.#looks.push(samples, look => {
      this.#heardMs += LOOK_MS;
      isFax = this.#tone.push(look) || isFax;
    });
    return isFax;
  }
}
