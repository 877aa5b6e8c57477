/** What this caller is hearing, as 4 kHz samples on the session clock: the reference that an echo is looked for in. */

export const ECHO_HZ = 4000;
const SAMPLES_PER_MS = ECHO_HZ / 1000;
/** First difference: speech has its energy at the bottom, telephones cut it off there. */
const EMPHASIS = 0.9;
/** The caller's clock may be put back by a little: so much from before a look is kept. */
const KEPT = 100 * SAMPLES_PER_MS;
/** What is kept is moved to the front of the line each time that so much has passed. */
const ROOM = 500 * SAMPLES_PER_MS;

/** The same sound twice: narrow for its shape, and the power of the whole band for its level, both 4000 a second. */
export interface Narrow {
  readonly samples: Float32Array;
  readonly power: Float32Array;
}

/** Positions are samples at 4 kHz since the clock's zero. */
interface PlayedStretch {
  from: number;
  to: number;
}

/**
 * One line of time, silent where nothing is played, so that a look at the last moments is a place in it and no copy:
 * there is one for every frame of every call while the agent speaks.
 */
export class FarEnd {
  readonly #narrow: Narrowband;
  readonly #window: number;
  /** From `#base` on; zero wherever nothing is played. */
  #line: Narrow;
  #base = 0;
  /** Behind this everything is silent. */
  #writtenTo = 0;
  /** Where something is played; what touches is one. */
  readonly #stretches: PlayedStretch[] = [];
  /** What was played last, and how much of it is left. */
  #last: PlayedStretch | null = null;
  #lookedFrom = Number.POSITIVE_INFINITY;
  #lookedTo = Number.NEGATIVE_INFINITY;
  #changes = 0;

  /** `window`: samples of a look. */
  constructor(sampleRate: number, window: number) {
    this.#narrow = new Narrowband(sampleRate);
    this.#window = window;
    this.#line = emptyNarrow(window + ROOM);
  }

  /** What `read` finds its place in, until the next call of anything here. */
  get line(): Narrow {
    return this.#line;
  }

  /** Rises when what was looked at has become another. */
  get changes(): number {
    return this.#changes;
  }

  /** These samples reach the ear from `atMs` on, which may lie ahead. */
  played(samples: Float32Array, atMs: number): void {
    const asked = Math.round(atMs * SAMPLES_PER_MS);
    // Rounding must not tear what plays on.
    const end = this.#last ? this.#last.to : Number.NEGATIVE_INFINITY;
    const from = Math.abs(asked - end) <= 2 * SAMPLES_PER_MS ? end : asked;
    const to = from + this.#narrow.countOf(samples.length);
    this.#makeRoom(Math.min(from, this.#lookedFrom - KEPT), to);
    if (from < this.#lookedTo) this.#changes += 1;
    this.#narrow.push(samples, this.#line, from - this.#base);
    this.#writtenTo = Math.max(this.#writtenTo, to);
    this.#last = { from, to };
    const before = this.#stretches.at(-1);
    if (before?.to === from) before.to = to;
    else this.#stretches.push({ from, to });
  }

  /** What would have been heard after `atMs` is thrown away. */
  cleared(atMs: number): void {
    const at = Math.round(atMs * SAMPLES_PER_MS);
    for (const stretch of this.#stretches) stretch.to = Math.max(stretch.from, Math.min(stretch.to, at));
    if (this.#last) this.#last.to = Math.max(this.#last.from, Math.min(this.#last.to, at));
    const from = Math.max(this.#base, at);
    if (from >= this.#writtenTo) return;
    this.#changes += 1;
    this.#line.samples.fill(0, from - this.#base, this.#writtenTo - this.#base);
    this.#line.power.fill(0, from - this.#base, this.#writtenTo - this.#base);
    this.#writtenTo = from;
  }

  /** Where in `line` the window begins that ends at `untilMs`; −1 where nothing was heard in it. */
  read(untilMs: number): number {
    const end = Math.round(untilMs * SAMPLES_PER_MS);
    const begin = end - this.#window;
    this.#lookedFrom = begin;
    this.#lookedTo = end;
    while (this.#stretches.length > 0 && this.#stretches[0].to <= begin) this.#stretches.shift();
    for (const { from, to } of this.#stretches) {
      if (Math.max(from, begin) >= Math.min(to, end)) continue;
      this.#makeRoom(begin, end);
      return begin - this.#base;
    }
    return -1;
  }

  /** `first` to `to` lie in the line; what was before is forgotten. */
  #makeRoom(first: number, to: number): void {
    const { length } = this.#line.samples;
    if (first >= this.#base && to <= this.#base + length) return;
    const isSilent = this.#stretches.length === 0;
    const writtenTo = isSilent ? first : Math.max(first, this.#writtenTo);
    const needed = Math.max(to, writtenTo) - first + ROOM;
    const isFitting = needed <= length && length <= 2 * needed;
    const moved = isFitting ? this.#line : emptyNarrow(needed);
    const [keptFrom, keptTo] = [Math.max(first, this.#base), Math.max(first, this.#base, writtenTo)];
    for (const which of ['samples', 'power'] as const) {
      const before = this.#line[which];
      const after = moved[which];
      if (isFitting) after.copyWithin(keptFrom - first, keptFrom - this.#base, keptTo - this.#base);
      else after.set(before.subarray(keptFrom - this.#base, keptTo - this.#base), keptFrom - first);
      after.fill(0, 0, keptFrom - first);
      after.fill(0, keptTo - first);
    }
    this.#line = moved;
    this.#base = first;
    this.#writtenTo = writtenTo;
  }
}

export function emptyNarrow(length: number): Narrow {
  return { samples: new Float32Array(length), power: new Float32Array(length) };
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

  /** What comes of so many more. */
  countOf(samples: number): number {
    return Math.floor((this.#count + samples) / this.#factor);
  }

  /** Writes `countOf(samples.length)` of each, from `at` on. */
  push(samples: Float32Array, out: Narrow, at: number): void {
    const factor = this.#factor;
    let [sum, power, count] = [this.#sum, this.#power, this.#count];
    let to = at;
    for (let i = 0; i < samples.length; i++) {
      const value = samples[i];
      sum += value;
      power += value * value;
      if (++count < factor) continue;
      out.power[to] = power / factor;
      out.samples[to++] = this.#shape(sum / factor);
      sum = 0;
      power = 0;
      count = 0;
    }
    this.#sum = sum;
    this.#power = power;
    this.#count = count;
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
