/**
 * Keys heard in the sound itself (DTMF, ITU-T Q.23), for lines that bring them no other way. The bounds are those of
 * ITU-T Q.24: 40 ms of two tones are a key, and so is the next after 40 ms without; the higher tone may be 4 dB louder
 * than the lower or 8 dB softer. Speech has two such tones now and then, but seldom nothing else beside them, of a
 * steady level, for as long.
 */

import { fourGoertzels, goertzel, goertzelCoefficient } from './goertzel.ts';

const ROWS_HZ = [697, 770, 852, 941];
const COLUMNS_HZ = [1209, 1336, 1477, 1633];
const KEYS = ['123A', '456B', '789C', '*0#D'];

/**
 * A look every hop, each at the last two: a tone of 40 ms fills one of them wholly, and half of the one before or
 * behind it.
 */
const HOP_MS = 12.8;
/** Of each tone, against the loudest sine: −42 dBm0. */
const MIN_POWER = 10 ** -4.5;
/** The column against the row. */
const MAX_COLUMN = 10 ** 0.4;
const MIN_COLUMN = 10 ** -0.8;
/** The loudest of a group against the others of it, less what the window lets through. */
const MIN_LEAD = 10 ** 0.8;
/** Of all power, what the two tones make up: of a look that they fill, and of one beside it. */
const MIN_SHARE = { full: 0.85, beside: 0.45 };
/** Two looks one after the other at the same key differ by no more. */
const MAX_CHANGE = 10 ** 0.75;
const LOOKS_TO_RELEASE = 2;
/** A telephone's tones are off by 1.5 % at most; they are looked for there once something is like them. */
const OFF = [1, 0.984, 0.992, 1.008, 1.016];
const ROUGH_SHARE = 0.15;

interface FoundTone {
  readonly key: string;
  readonly power: number;
  readonly isFull: boolean;
}

export class KeyToneDetector {
  readonly #hop: number;
  readonly #look: Float32Array;
  /** Goertzel's coefficients, of each tone at each of `OFF`. */
  readonly #tones: readonly (readonly number[])[];
  readonly #nominal: readonly number[];
  readonly #powers = new Float64Array(8);
  /** In the second half of `#look`. */
  #filled = 0;
  #before: FoundTone | null = null;
  #misses = 0;
  #pressed: string | null = null;

  constructor(rateHz: number) {
    this.#hop = Math.round((rateHz * HOP_MS) / 1000);
    this.#look = new Float32Array(2 * this.#hop);
    this.#tones = [...ROWS_HZ, ...COLUMNS_HZ].map(hz =>
      OFF.map(off => goertzelCoefficient(hz * off, rateHz)),
    );
    this.#nominal = this.#tones.map(([coefficient]) => coefficient);
  }

  /** A key is being pressed now, or was a moment ago. */
  get isPressed(): boolean {
    return this.#pressed !== null;
  }

  /** The keys that were told by these samples, each once however long it is pressed. */
  push(samples: Float32Array): string {
    let told = '';
    for (let at = 0; at < samples.length; ) {
      const count = Math.min(this.#hop - this.#filled, samples.length - at);
      this.#look.set(samples.subarray(at, at + count), this.#hop + this.#filled);
      this.#filled += count;
      at += count;
      if (this.#filled < this.#hop) break;
      told += this.#take();
      this.#look.copyWithin(0, this.#hop);
      this.#filled = 0;
    }
    return told;
  }

  #take(): string {
    const found = this.#find();
    if (found && found.key === this.#pressed) {
      this.#misses = 0;
      return '';
    }
    if (this.#pressed !== null && ++this.#misses >= LOOKS_TO_RELEASE) this.#pressed = null;
    const before = this.#before;
    this.#before = found;
    if (!found || found.key !== before?.key || !isSteady(found.power, before.power)) return '';
    if (!found.isFull && !before.isFull) return '';
    this.#pressed = found.key;
    this.#misses = 0;
    return found.key;
  }

  #find(): FoundTone | null {
    const look = this.#look;
    let energy = 0;
    for (let n = 0; n < look.length; n++) energy += look[n] * look[n];
    // As mean squares: a sine of amplitude A has A² / 2.
    const total = energy / look.length;
    if (total < MIN_POWER) return null;
    fourGoertzels(look, this.#nominal, this.#powers, 0);
    fourGoertzels(look, this.#nominal, this.#powers, 4);
    const row = strongest(this.#powers, 0);
    const column = strongest(this.#powers, 4);
    if (this.#powers[row] + this.#powers[column] < total * ROUGH_SHARE) return null;
    const [low, high] = [this.#nearby(row), this.#nearby(column)];
    if (low < MIN_POWER || high < MIN_POWER || high > low * MAX_COLUMN || high < low * MIN_COLUMN)
      return null;
    const share = (low + high) / total;
    if (share < MIN_SHARE.beside) return null;
    for (let n = 0; n < 8; n++)
      if (n !== row && n !== column && this.#powers[n] * MIN_LEAD > (n < 4 ? low : high)) return null;
    return { key: KEYS[row][column - 4], power: low + high, isFull: share >= MIN_SHARE.full };
  }

  /** The most that there is of a tone, as far off as it may be. */
  #nearby(tone: number): number {
    return Math.max(...this.#tones[tone].map(coefficient => goertzel(this.#look, coefficient)));
  }
}

/**
 * A key as a telephone sounds it, for a line that has no other way; null for no key. Each tone has the amplitude
 * `level`, of 1.
 */
export function keyTones(key: string, ms: number, rateHz: number, level = 0.2): Float32Array | null {
  const row = KEYS.findIndex(keys => keys.includes(key.toUpperCase()));
  if (key.length !== 1 || row < 0) return null;
  const turn = (hz: number, n: number) => Math.sin((2 * Math.PI * hz * n) / rateHz);
  const column = KEYS[row].indexOf(key.toUpperCase());
  return Float32Array.from(
    { length: Math.round((rateHz * ms) / 1000) },
    (_, n) => level * (turn(ROWS_HZ[row], n) + turn(COLUMNS_HZ[column], n)),
  );
}

function strongest(powers: Float64Array, from: number): number {
  let best = from;
  for (let n = from + 1; n < from + 4; n++) if (powers[n] > powers[best]) best = n;
  return best;
}

const isSteady = (a: number, b: number) => a < b * MAX_CHANGE && b < a * MAX_CHANGE;
