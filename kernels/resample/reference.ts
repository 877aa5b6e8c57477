import { SampleSlab } from '../sample-slab.ts';
import { designFilter, type PolyphaseFilter } from './filter.ts';
import type { CreateResampler, Resampler } from './index.ts';

/**
 * Outputs from `window` and `phase` on while their windows lie inside `samples`, at most as many as `out` holds.
 * @returns how many
 */
export type EvaluateFilter = (
  filter: PolyphaseFilter,
  samples: Float32Array,
  window: number,
  phase: number,
  out: Float32Array,
) => number;

/** A resampler over an engine's own inner loop. */
export const resamplerOver =
  (evaluate: EvaluateFilter): CreateResampler =>
  (fromRateHz, toRateHz) =>
    fromRateHz === toRateHz
      ? passThrough(fromRateHz)
      : new PolyphaseResampler(fromRateHz, toRateHz, evaluate);

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
  readonly #filter: PolyphaseFilter;
  readonly #evaluate: EvaluateFilter;
  readonly #slab = new SampleSlab();
  /**
   * Inputs that a later output's window still covers, and room for those of the next call: a stream leaves no garbage.
   */
  #room: Float32Array;
  /** What of the room was used last. */
  #inputs: Float32Array;
  #pending!: number;
  /** Index in `inputs` of the first sample of the next output's window. */
  #window!: number;
  #phase!: number;
  /** Inputs seen and outputs given, for the exact length at the end. */
  #seen!: number;
  #given!: number;

  constructor(fromRateHz: number, toRateHz: number, evaluate: EvaluateFilter) {
    const filter = designFilter(fromRateHz, toRateHz);
    this.fromRateHz = fromRateHz;
    this.toRateHz = toRateHz;
    this.lookAhead = filter.halfTaps;
    this.#filter = filter;
    this.#evaluate = evaluate;
    this.#room = new Float32Array(filter.halfTaps - 1);
    this.#inputs = this.#room;
    this.#reset();
  }

  #reset(): void {
    // Silence before the stream: the window of output 0 ends `halfTaps` samples after input 0.
    this.#pending = this.#filter.halfTaps - 1;
    this.#room.fill(0, 0, this.#pending);
    this.#window = 0;
    this.#phase = 0;
    this.#seen = 0;
    this.#given = 0;
  }

  push(samples: Float32Array): Float32Array {
    this.#seen += samples.length;
    return this.#convert(samples, Number.POSITIVE_INFINITY);
  }

  finish(): Float32Array {
    const total = Math.ceil((this.#seen * this.#filter.up) / this.#filter.down);
    const rest = this.#convert(new Float32Array(this.#filter.halfTaps), total - this.#given);
    this.#reset();
    return rest;
  }

  #convert(samples: Float32Array, limit: number): Float32Array {
    const length = this.#pending + samples.length;
    const inputs = this.#inputsOf(length);
    inputs.set(samples, this.#pending);
    const { down, up } = this.#filter;
    const out = this.#slab.take(Math.min(this.#countIn(length), limit));
    this.#evaluate(this.#filter, inputs, this.#window, this.#phase, out);
    const steps = this.#phase + out.length * down;
    this.#window += Math.floor(steps / up);
    this.#phase = steps % up;
    const used = Math.min(this.#window, length);
    inputs.copyWithin(0, used);
    this.#pending = length - used;
    this.#window -= used;
    this.#given += out.length;
    return out;
  }

  /** Outputs whose windows lie within so many inputs. */
  #countIn(length: number): number {
    const { down, halfTaps, up } = this.#filter;
    const positions = length - 2 * halfTaps - this.#window + 1;
    return Math.max(0, Math.ceil((positions * up - this.#phase) / down));
  }

  /** The inputs, exactly so many; a stream's packets are mostly of one length. */
  #inputsOf(length: number): Float32Array {
    if (this.#inputs.length === length) return this.#inputs;
    this.#room = withRoom(this.#room, length);
    this.#inputs = this.#room.subarray(0, length);
    return this.#inputs;
  }
}

/** The same array where it holds `length`, else a larger one that begins with it. */
function withRoom(array: Float32Array, length: number): Float32Array {
  if (array.length >= length) return array;
  const larger = new Float32Array(length);
  larger.set(array);
  return larger;
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

const evaluateFilter: EvaluateFilter = ({ up, down, halfTaps, taps }, samples, window, phase, out) => {
  const width = 2 * halfTaps;
  let count = 0;
  let [at, turn] = [window, phase];
  while (count < out.length && at + width <= samples.length) {
    out[count++] = product(taps, turn * width, samples, at, width);
    turn += down;
    while (turn >= up) {
      turn -= up;
      at++;
    }
  }
  return count;
};

export const createResampler: CreateResampler = resamplerOver(evaluateFilter);
