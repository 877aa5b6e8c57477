import { designFilter } from './filter.ts';
import type { CreateResampler, Resampler } from './index.ts';

export const createResampler: CreateResampler = (fromRateHz, toRateHz) =>
  fromRateHz === toRateHz ? passThrough(fromRateHz) : new PolyphaseResampler(fromRateHz, toRateHz);

function passThrough(rateHz: number): Resampler {
  designFilter(rateHz, rateHz);
  return {
    fromRateHz: rateHz,
    toRateHz: rateHz,
    lookAhead: 0,
    push: samples => samples.slice(),
    finish: () => new Float32Array(0),
  };
}

class PolyphaseResampler implements Resampler {
  readonly fromRateHz: number;
  readonly toRateHz: number;
  readonly lookAhead: number;
  readonly #up: number;
  readonly #down: number;
  readonly #halfTaps: number;
  readonly #taps: Float64Array;
  /** Inputs that a later output's window still covers. */
  #pending!: Float32Array;
  /** Index in `pending` of the first sample of the next output's window. */
  #window!: number;
  #phase!: number;
  /** Inputs seen and outputs given, for the exact length at the end. */
  #inputs!: number;
  #outputs!: number;

  constructor(fromRateHz: number, toRateHz: number) {
    const filter = designFilter(fromRateHz, toRateHz);
    this.fromRateHz = fromRateHz;
    this.toRateHz = toRateHz;
    this.lookAhead = filter.halfTaps;
    this.#up = filter.up;
    this.#down = filter.down;
    this.#halfTaps = filter.halfTaps;
    this.#taps = filter.taps;
    this.#reset();
  }

  #reset(): void {
    // Silence before the stream: the window of output 0 ends `halfTaps` samples after input 0.
    this.#pending = new Float32Array(this.#halfTaps - 1);
    this.#window = 0;
    this.#phase = 0;
    this.#inputs = 0;
    this.#outputs = 0;
  }

  push(samples: Float32Array): Float32Array {
    this.#inputs += samples.length;
    return this.#convert(samples, Number.POSITIVE_INFINITY);
  }

  finish(): Float32Array {
    const total = Math.ceil((this.#inputs * this.#up) / this.#down);
    const rest = this.#convert(new Float32Array(this.#halfTaps), total - this.#outputs);
    this.#reset();
    return rest;
  }

  #convert(samples: Float32Array, most: number): Float32Array {
    const width = 2 * this.#halfTaps;
    const joined = new Float32Array(this.#pending.length + samples.length);
    joined.set(this.#pending);
    joined.set(samples, this.#pending.length);
    const out = new Float32Array(Math.ceil((joined.length * this.#up) / this.#down) + 1);
    let count = 0;
    while (count < most && this.#window + width <= joined.length) {
      out[count++] = product(this.#taps, this.#phase * width, joined, this.#window, width);
      this.#phase += this.#down;
      while (this.#phase >= this.#up) {
        this.#phase -= this.#up;
        this.#window++;
      }
    }
    const used = Math.min(this.#window, joined.length);
    this.#pending = joined.slice(used);
    this.#window -= used;
    this.#outputs += count;
    return out.slice(0, count);
  }
}

/** Σ taps · samples over `width` (even) of each; two independent sums keep the processor's adders busy. */
function product(
  taps: Float64Array,
  tap: number,
  samples: Float32Array,
  sample: number,
  width: number,
): number {
  let even = 0;
  let odd = 0;
  for (let n = 0; n < width; n += 2) {
    even += taps[tap + n] * samples[sample + n];
    odd += taps[tap + n + 1] * samples[sample + n + 1];
  }
  return even + odd;
}
