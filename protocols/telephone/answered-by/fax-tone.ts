/**
 * A fax machine, by its tones (ITU-T T.30): one that calls says 1100 Hz for half a second every 3.5 s, one that answers
 * 2100 Hz for at least 2.6 s, perhaps with its phase turned every 450 ms and its level waving (V.8).
 */
import { goertzel, goertzelCoefficient } from '../../media/index.ts';
import { LOOK_MS } from './looks.ts';

export type FaxSide = 'calling' | 'answering';

const HZ: Readonly<Record<FaxSide, number>> = { calling: 1100, answering: 2100 };
/** A machine may be off by so much; a look tells tones apart that are as far from each other as these. */
const OFF_HZ: Readonly<Record<FaxSide, readonly number[]>> = {
  calling: [-38, -19, 0, 19, 38],
  answering: [-15, 0, 15],
};
/** The tone must have lasted so long: a calling tone is half a second, and a beep may be of 1100 Hz too. */
const HELD_MS: Readonly<Record<FaxSide, number>> = { calling: 400, answering: 500 };
/** Of all the power of a look; what is left is the line's. */
const SHARE = 0.8;
/** As a mean square: −46 dBFS. */
const QUIETEST = 2.5e-5;
/** A turn of the phase, or a packet that was lost. */
const MISSES = 2;

export class FaxToneDetector {
  readonly #coefficients: readonly number[];
  readonly #looks: number;
  #held = 0;
  #missed = 0;
  #isTold = false;

  constructor(side: FaxSide, rateHz: number) {
    this.#coefficients = OFF_HZ[side].map(off => goertzelCoefficient(HZ[side] + off, rateHz));
    this.#looks = HELD_MS[side] / LOOK_MS;
  }

  /** `look`: the next `LOOK_MS` of the line. True once, when the tone has lasted. */
  push(look: Float32Array): boolean {
    let power = 0;
    for (let n = 0; n < look.length; n++) power += look[n] * look[n];
    power /= look.length;
    const isTone =
      power >= QUIETEST && this.#coefficients.some(each => goertzel(look, each) >= SHARE * power);
    if (isTone) this.#missed = 0;
    else if (++this.#missed > MISSES) this.#held = 0;
    if (isTone) this.#held += 1;
    if (this.#isTold || this.#held < this.#looks) return false;
    this.#isTold = true;
    return true;
  }
}
