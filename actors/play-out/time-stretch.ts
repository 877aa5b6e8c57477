/**
 * Speech at another speed with its pitch kept: WSOLA (Verhelst and Roelands 1993). Windows of 40 ms are laid half over
 * each other in the output; each is taken from the input near where the speed says, at the place that continues the
 * window before it best.
 *
 *   input   ├──────┤ speed·hop ├──────┤            output   ├──────┤
 *                         ◄─ ±seek ─►                           ├──────┤   hop = half a window
 */
const WINDOW_MS = 40;
/** A period of the lowest voices, to either side. */
const SEEK_MS = 12.5;
/** The search looks at every fourth place first, by every fourth sample, then closely around the best of them. */
const COARSE = 4;

export class TimeStretch {
  readonly #speed: number;
  readonly #hop: number;
  readonly #seek: number;
  readonly #rise: Float32Array;
  /** Input that may still be needed; its first sample is number `#base` of all. */
  #input = new Float32Array(0);
  #base = 0;
  #received = 0;
  /** Of the window before: where it began in the input, and its falling half. */
  #lastAt = 0;
  #falling: Float32Array;
  #windows = 0;
  #given = 0;

  /** `speed`: 2 takes half the time. */
  constructor(sampleRate: number, speed: number) {
    this.#speed = speed;
    this.#hop = Math.round((sampleRate * WINDOW_MS) / 2000);
    this.#seek = Math.round((sampleRate * SEEK_MS) / 1000);
    this.#falling = new Float32Array(this.#hop);
    this.#rise = Float32Array.from(
      { length: this.#hop },
      (_, i) => 0.5 - 0.5 * Math.cos((Math.PI * (i + 0.5)) / this.#hop),
    );
  }

  /** The output that is certain by now. */
  push(samples: Float32Array): Float32Array {
    this.#append(samples);
    this.#received += samples.length;
    const out: Float32Array[] = [];
    while (this.#needed() <= this.#received) out.push(this.#next());
    return this.#give(out, Number.POSITIVE_INFINITY);
  }

  /** The rest, so that all of it is `received / speed` samples long. */
  finish(): Float32Array {
    const length = Math.round(this.#received / this.#speed);
    this.#append(new Float32Array(3 * this.#hop + 2 * this.#seek + Math.ceil(this.#hop * this.#speed)));
    const out: Float32Array[] = [];
    while (this.#windows * this.#hop < length) out.push(this.#next());
    return this.#give(out, length - this.#given);
  }

  /** Input samples that the next window can reach. */
  #needed(): number {
    return Math.max(this.#target + this.#seek, this.#lastAt + this.#hop) + 2 * this.#hop;
  }

  get #target(): number {
    return Math.round(this.#windows * this.#hop * this.#speed);
  }

  #next(): Float32Array {
    const at = this.#windows === 0 ? 0 : this.#search();
    const [hop, rise, falling] = [this.#hop, this.#rise, this.#falling];
    const from = at - this.#base;
    const out = new Float32Array(hop);
    // Nothing stands before the first window: it begins at its full level.
    if (this.#windows === 0) out.set(this.#input.subarray(from, from + hop));
    else for (let i = 0; i < hop; i++) out[i] = falling[i] + rise[i] * this.#input[from + i];
    for (let i = 0; i < hop; i++) falling[i] = rise[hop - 1 - i] * this.#input[from + hop + i];
    this.#lastAt = at;
    this.#windows += 1;
    this.#forget();
    return out;
  }

  /** The place near the target that sounds most like what would have followed the last window. */
  #search(): number {
    const first = Math.max(0, this.#target - this.#seek);
    const last = this.#target + this.#seek;
    let best = { at: this.#target, likeness: Number.NEGATIVE_INFINITY };
    const look = (at: number, step: number) => {
      const likeness = this.#likeness(at, step);
      if (likeness > best.likeness) best = { at, likeness };
    };
    for (let at = first; at <= last; at += COARSE) look(at, COARSE);
    const around = best.at;
    best = { at: around, likeness: this.#likeness(around, 1) };
    for (let at = Math.max(first, around - COARSE + 1); at < Math.min(last + 1, around + COARSE); at++)
      look(at, 1);
    return best.at;
  }

  /** Of what stands at `at` and what is wanted, by every `step`-th sample: voices lie far below half the band. */
  #likeness(at: number, step: number): number {
    const input = this.#input;
    const wanted = this.#lastAt + this.#hop - this.#base;
    const from = at - this.#base;
    let [product, energy] = [0, 1e-9];
    for (let i = 0; i < this.#hop; i += step) {
      const sample = input[from + i];
      product += sample * input[wanted + i];
      energy += sample * sample;
    }
    return product / Math.sqrt(energy);
  }

  #append(samples: Float32Array): void {
    const joined = new Float32Array(this.#input.length + samples.length);
    joined.set(this.#input);
    joined.set(samples, this.#input.length);
    this.#input = joined;
  }

  /** What no window can reach any more. */
  #forget(): void {
    const keepFrom = Math.max(0, Math.min(this.#target - this.#seek, this.#lastAt + this.#hop));
    if (keepFrom <= this.#base) return;
    this.#input = this.#input.subarray(keepFrom - this.#base);
    this.#base = keepFrom;
  }

  #give(parts: readonly Float32Array[], atMost: number): Float32Array {
    const length = Math.max(0, Math.min(parts.length * this.#hop, atMost));
    const out = new Float32Array(length);
    parts.forEach((part, i) => {
      const left = length - i * this.#hop;
      if (left > 0) out.set(part.subarray(0, Math.min(left, part.length)), i * this.#hop);
    });
    this.#given += length;
    return out;
  }
}
