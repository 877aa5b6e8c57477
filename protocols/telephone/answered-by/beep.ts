/**
 * The beep after which an answering machine records: one steady tone of some pitch, told when it is over, because what
 * is said before that is lost.
 */
import { opsOf } from '../../../kernels/engine/index.ts';
import type { RealFft } from '../../../kernels/fft/index.ts';
import { LOOK_MS } from './looks.ts';

/** A woman's *n* or *u* is a single tone of up to some 380 Hz for a moment. */
const LOWEST_HZ = 400;
const HIGHEST_HZ = 2600;
/** Around the strongest bin lies so much of the power, within so many bins either way. */
const SHARE = 0.9;
const SKIRT = 2;
const STEADY_HZ = 25;
/** As a mean square: −46 dBFS. */
const QUIETEST = 2.5e-5;
/** Half a look differs from what was heard of the tone before by no more: two tones side by side beat. */
const MOST_CHANGE = 2.5;
const SHORTEST_MS = 120;
const LONGEST_MS = 3000;
/** So much without the tone ends it. */
const OVER_LOOKS = 2;

export class BeepDetector {
  readonly #window: Float64Array;
  readonly #heard: Float64Array;
  readonly #power: Float64Array;
  readonly #fft: RealFft;
  readonly #binHz: number;
  #hz = 0;
  /** Mean square of the tone, of half a look. */
  #level = 0;
  #looks = 0;
  #missed = 0;

  constructor(rateHz: number) {
    const size = 2 ** Math.ceil(Math.log2((rateHz * LOOK_MS) / 1000));
    this.#fft = opsOf('auto').fft(size);
    this.#binHz = rateHz / size;
    this.#window = Float64Array.from(
      { length: size },
      (_, n) => 0.5 - 0.5 * Math.cos((2 * Math.PI * (n + 0.5)) / size),
    );
    this.#heard = new Float64Array(size);
    this.#power = new Float64Array(size / 2 + 1);
  }

  /** `look`: the next `LOOK_MS` of the line. True when a beep has ended. */
  push(look: Float32Array): boolean {
    const hz = this.#toneOf(look);
    const halves = [look.subarray(0, look.length / 2), look.subarray(look.length / 2)].map(meanSquare);
    if (
      hz !== null &&
      (this.#looks === 0 || (Math.abs(hz - this.#hz) <= STEADY_HZ && this.#isSteady(halves)))
    ) {
      this.#hz = hz;
      this.#level = halves[1];
      this.#looks += 1;
      this.#missed = 0;
      return false;
    }
    if (this.#looks === 0 || ++this.#missed < OVER_LOOKS) return false;
    const lastedMs = this.#looks * LOOK_MS;
    this.#looks = 0;
    this.#missed = 0;
    return lastedMs >= SHORTEST_MS && lastedMs <= LONGEST_MS;
  }

  #isSteady(halves: readonly number[]): boolean {
    return halves.every(level => level < this.#level * MOST_CHANGE && level * MOST_CHANGE > this.#level);
  }

  /** The pitch of the one tone that is heard, null where there is something else. */
  #toneOf(look: Float32Array): number | null {
    const heard = this.#heard;
    heard.copyWithin(0, look.length);
    heard.set(look, heard.length - look.length);
    if (meanSquare(look) < QUIETEST) return null;
    const power = this.#fft.powerSpectrum(
      heard.map((value, n) => value * this.#window[n]),
      this.#power,
    );
    const [from, to] = [Math.ceil(LOWEST_HZ / this.#binHz), Math.floor(HIGHEST_HZ / this.#binHz)];
    let best = from;
    for (let bin = from; bin <= to; bin++) if (power[bin] > power[best]) best = bin;
    let [near, all] = [0, 0];
    for (let bin = 2; bin < power.length; bin++) {
      all += power[bin];
      if (Math.abs(bin - best) <= SKIRT) near += power[bin];
    }
    return near >= SHARE * all ? (best + offset(power, best)) * this.#binHz : null;
  }
}

function meanSquare(sound: Float32Array): number {
  let sum = 0;
  for (let n = 0; n < sound.length; n++) sum += sound[n] * sound[n];
  return sum / sound.length;
}

/** Of the top from the strongest bin, by a parabola through three levels. */
function offset(power: Float64Array, best: number): number {
  const [a, b, c] = [power[best - 1], power[best], power[best + 1]].map(value => Math.log(value + 1e-20));
  return a + c === 2 * b ? 0 : (0.5 * (a - c)) / (a - 2 * b + c);
}
