/** What this caller is hearing, as 4 kHz samples on the session clock: the reference that an echo is looked for in. */

export const ECHO_HZ = 4000;
const SAMPLES_PER_MS = ECHO_HZ / 1000;
/** First difference: speech has its energy at the bottom, telephones cut it off there. */
const EMPHASIS = 0.9;

/** The same sound twice: narrow for its shape, and the power of the whole band for its level, both 4000 a second. */
export interface Narrow {
  readonly samples: Float32Array;
  readonly power: Float32Array;
}

interface PlayedStretch extends Narrow {
  /** In samples at 4 kHz since the clock's zero. */
  readonly from: number;
  /** Samples that were really heard. */
  length: number;
}

export class FarEnd {
  readonly #stretches: PlayedStretch[] = [];
  readonly #narrow: Narrowband;

  constructor(sampleRate: number) {
    this.#narrow = new Narrowband(sampleRate);
  }

  /** These samples reach the ear from `atMs` on, which may lie ahead. */
  played(samples: Float32Array, atMs: number): void {
    const last = this.#stretches.at(-1);
    const from = Math.round(atMs * SAMPLES_PER_MS);
    const narrow = this.#narrow.push(samples);
    // Rounding must not tear what plays on.
    const end = last ? last.from + last.length : Number.NEGATIVE_INFINITY;
    this.#stretches.push({
      from: Math.abs(from - end) <= 2 * SAMPLES_PER_MS ? end : from,
      ...narrow,
      length: narrow.samples.length,
    });
  }

  /** What would have been heard after `atMs` is thrown away. */
  cleared(atMs: number): void {
    const at = Math.round(atMs * SAMPLES_PER_MS);
    for (const stretch of this.#stretches) {
      stretch.length = Math.max(0, Math.min(stretch.length, at - stretch.from));
    }
  }

  /**
   * Fills `out` with what was heard until `untilMs`, silence where nothing was; false, and nothing filled, when nothing
   * was at all.
   */
  read(untilMs: number, out: Narrow): boolean {
    const end = Math.round(untilMs * SAMPLES_PER_MS);
    const begin = end - out.samples.length;
    while (this.#stretches.length > 0) {
      const [{ from, length }] = this.#stretches;
      if (from + length > begin) break;
      this.#stretches.shift();
    }
    if (this.#stretches.length === 0) return false;
    out.samples.fill(0);
    out.power.fill(0);
    let any = false;
    for (const { from, length, samples, power } of this.#stretches) {
      if (from >= end) break;
      const first = Math.max(from, begin);
      const last = Math.min(from + length, end);
      if (first >= last) continue;
      out.samples.set(samples.subarray(first - from, last - from), first - begin);
      out.power.set(power.subarray(first - from, last - from), first - begin);
      any = true;
    }
    return any;
  }
}

/** Any rate that 4 kHz divides → 4 kHz, emphasised; keeps its state between calls. */
export class Narrowband {
  readonly #factor: number;
  #sum = 0;
  #power = 0;
  #count = 0;
  #before = 0;
  #smooth = 0;
  #last = 0;

  constructor(sampleRate: number) {
    this.#factor = sampleRate / ECHO_HZ;
  }

  push(samples: Float32Array): Narrow {
    const out = new Float32Array(Math.floor((this.#count + samples.length) / this.#factor));
    const power = new Float32Array(out.length);
    let at = 0;
    for (let i = 0; i < samples.length; i++) {
      this.#sum += samples[i];
      this.#power += samples[i] * samples[i];
      if (++this.#count < this.#factor) continue;
      power[at] = this.#power / this.#factor;
      out[at++] = this.#shape(this.#sum / this.#factor);
      this.#sum = 0;
      this.#power = 0;
      this.#count = 0;
    }
    return { samples: out, power };
  }

  /** Low pass over three samples, then the difference. */
  #shape(value: number): number {
    const smooth = (value + 2 * this.#smooth + this.#before) / 4;
    this.#before = this.#smooth;
    this.#smooth = value;
    const shaped = smooth - EMPHASIS * this.#last;
    this.#last = smooth;
    return shaped;
  }
}
