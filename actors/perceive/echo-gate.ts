/**
 * Tells the agent's own voice, come back through the caller's room, from a person (ARCHITECTURE.md §4). Three looks at
 * a 20 ms frame, cheapest first:
 *
 *   nothing was playing ──────────────────────────────────────────────────────► a person
 *   much louder than any echo of what was playing, or than any lately ────────► a person, unless it correlates
 *   where the delay is known: explained by the reference, or no louder than it ► echo, else a person
 *   delay unknown: each frame looks through a quarter of 0–500 ms ────────────► undecided until all were looked through
 *   twice
 *
 * A new sound is looked at anew: one that rises out of the noise of the room.
 *
 * Correlation is taken over 60 ms at 4 kHz (the search at 2 kHz), so telephone bands and mild distortion leave enough
 * of it.
 */
import { holdsLostSound } from './lost-sound.ts';
import { ECHO_HZ, emptyNarrow, FarEnd, type Narrow, Narrowband } from './far-end.ts';

export type EchoVerdict = 'person' | 'echo' | 'undecided';

const ECHO = {
  longestDelayMs: 500,
  /** An echo is this much weaker than its source at least, until its path has been measured. */
  leastLossDb: 12,
  /** Above the predicted echo somebody else is speaking. */
  marginDb: 6,
  /** Share of a frame's energy that the reference explains. */
  explainedShare: 0.5,
  /** The same, in so many frames in a row, to believe in a delay that was not known. */
  foundShare: 0.6,
  foundFrames: 3,
  /** Quieter than this is nobody's voice, */
  silenceDb: -66,
  /** nor is what is no louder than this above the noise of the room, and no room is as loud as this. */
  roomDb: 4,
  loudRoomDb: -32,
  /** So many frames of nobody's voice part two sounds. */
  quietFrames: 6,
  /** Frames in a row that the known delay does not explain before it is looked for anew. */
  lostFrames: 25,
} as const;

const PER_MS = ECHO_HZ / 1000;
const WINDOW = 60 * PER_MS;
const LAGS = ECHO.longestDelayMs * PER_MS;
/** A room answers for a while: the predicted level is the loudest of the last 100 ms. */
const SMEAR = 100 * PER_MS;
/** Of what was heard, all that a look needs. */
const HEARD = WINDOW + LAGS + SMEAR;
const FRAME = 20 * PER_MS;
const PARTS = 4;
/** The noise floor follows a louder room at 2.5 dB a second. */
const FLOOR_RISE_DB = 0.05;
/** No echo is louder than the microphone was in these many stretches of agent speech with nobody else's. */
const QUIET_PARTS = 4;
const QUIET_PART_FRAMES = 25;
/** The agent speaks, as the caller hears it. */
const HEARD_DB = -45;
/** Lags either side of a known delay: clocks and packets wander a little. */
const WANDER = 4;
/** Lags that are looked at side by side. */
const DOTS = 4;

export class EchoGate {
  readonly #far: FarEnd;
  readonly #narrow: Narrowband;
  readonly #near = emptyNarrow(WINDOW);
  /** Where in the far end's line the last `HEARD` samples begin. */
  #heardAt = 0;
  readonly #loudest: LoudestFrame;
  readonly #coarseNear = new Float64Array(WINDOW / 2);
  readonly #coarseHeard = new Float64Array(HEARD / 2);
  readonly #dots = new Float64Array(4);
  #lag: number | null = null;
  #candidate: { readonly lag: number; readonly frames: number } | null = null;
  /** Echo level above its source, dB, where the path is known. */
  #gainDb = 0;
  /** Of the caller's room. */
  #floorDb = 0;
  #part = 0;
  #searched = 0;
  #quiet = 0;
  #unexplained = 0;
  readonly #loss = new LeastLoss();

  /** Whole multiples of 4 kHz. */
  static fits(...sampleRates: readonly number[]): boolean {
    return sampleRates.every(rate => rate % ECHO_HZ === 0 && rate > 0);
  }

  constructor(inputSampleRate: number, outputSampleRate: number) {
    this.#far = new FarEnd(outputSampleRate, HEARD);
    this.#loudest = new LoudestFrame(this.#far);
    this.#narrow = new Narrowband(inputSampleRate);
  }

  /** Milliseconds between ear and microphone, null while unknown. */
  get delayMs(): number | null {
    return this.#lag === null ? null : this.#lag / PER_MS;
  }

  played(samples: Float32Array, atMs: number): void {
    this.#far.played(samples, atMs);
  }

  cleared(atMs: number): void {
    this.#far.cleared(atMs);
  }

  /** 20 ms of the caller's sound that ended at `atMs` on the clock of `played`. */
  frame(samples: Float32Array, atMs: number): EchoVerdict {
    this.#pushNear(samples);
    const nearDb = levelDb(this.#near, WINDOW - FRAME, FRAME);
    const isLost = holdsLostSound(samples);
    if (!isLost) this.#floorDb = Math.min(nearDb, this.#floorDb + FLOOR_RISE_DB);
    this.#heardAt = this.#far.read(atMs);
    const isHeard = this.#heardAt >= 0;
    const loudestDb = isHeard ? this.#loudest.db(this.#heardAt, atMs) : Number.NEGATIVE_INFINITY;
    if (isHeard && !isLost) this.#loss.add(loudestDb, nearDb);
    this.#quiet = nearDb < Math.min(this.#floorDb, ECHO.loudRoomDb) + ECHO.roomDb ? this.#quiet + 1 : 0;
    // Between two sounds there is nothing to look for, and the next one is another.
    if (!isHeard || nearDb < ECHO.silenceDb || this.#quiet >= ECHO.quietFrames) this.#searched = 0;
    if (!isHeard || nearDb < ECHO.silenceDb) return 'person';
    return this.#lag === null ? this.#search(nearDb, loudestDb) : this.#atKnownDelay(nearDb, this.#lag);
  }

  #pushNear(samples: Float32Array): void {
    const { samples: near, power } = this.#near;
    const count = this.#narrow.countOf(samples.length);
    near.copyWithin(0, count);
    power.copyWithin(0, count);
    this.#narrow.push(samples, this.#near, WINDOW - count);
  }

  #atKnownDelay(nearDb: number, known: number): EchoVerdict {
    const best = this.#best(known, WANDER);
    const sourceDb = this.#sourceDb(known);
    const pathDb = this.#pathDb(best.lag);
    // Louder than the echo that is known, it is alike by chance.
    if (best.share >= ECHO.explainedShare && pathDb <= this.#gainDb + ECHO.marginDb) {
      this.#lag = best.lag;
      this.#gainDb += 0.2 * (pathDb - this.#gainDb);
      this.#unexplained = 0;
      return 'echo';
    }
    if (nearDb <= louder(sourceDb + this.#gainDb, this.#floorDb) + ECHO.marginDb) return 'echo';
    if (++this.#unexplained > ECHO.lostFrames) {
      this.#lag = null;
      this.#searched = 0;
    }
    return 'person';
  }

  #search(nearDb: number, loudestDb: number): EchoVerdict {
    // There is nothing to be found in the noise of the room.
    if (this.#quiet === 0 && this.#look()) return 'echo';
    const lossDb = Math.max(ECHO.leastLossDb, this.#loss.db - ECHO.marginDb);
    if (nearDb > louder(loudestDb - lossDb, this.#floorDb + ECHO.marginDb)) return 'person';
    // The window must hold the new sound before a whole look through the delays says no.
    return this.#searched > 2 * PARTS && this.#candidate === null ? 'person' : 'undecided';
  }

  /** One frame looks through a quarter of the delays. */
  #look(): boolean {
    const perPart = LAGS / PARTS;
    const found = this.#searchRange(this.#part * perPart, (this.#part + 1) * perPart);
    this.#part = (this.#part + 1) % PARTS;
    this.#searched += 1;
    return this.#isFound(found);
  }

  /** Two voices are alike for a moment; an echo stays where it was. */
  #isFound(found: { readonly share: number; readonly lag: number }): boolean {
    const before = this.#candidate;
    let now = before ? this.#best(before.lag, WANDER) : { share: 0, lag: 0 };
    if (now.share < ECHO.foundShare && found.share >= ECHO.foundShare / 2) now = this.#best(found.lag, 2);
    const isSame = before !== null && Math.abs(now.lag - before.lag) <= WANDER;
    const isEcho = now.share >= ECHO.foundShare && this.#pathDb(now.lag) <= -ECHO.leastLossDb;
    this.#candidate = isEcho ? { lag: now.lag, frames: isSame ? before.frames + 1 : 1 } : null;
    if (this.#candidate === null || this.#candidate.frames < ECHO.foundFrames) return false;
    this.#lag = now.lag;
    this.#gainDb = this.#pathDb(now.lag);
    this.#candidate = null;
    this.#unexplained = 0;
    this.#searched = 0;
    return true;
  }

  /** At 2 kHz: every second lag, every second sample. */
  #searchRange(from: number, to: number): { share: number; lag: number } {
    const near = this.#coarseNear;
    const heard = this.#coarseHeard;
    const count = near.length;
    let nearEnergy = 1e-12;
    for (let i = 0; i < count; i++) {
      near[i] = this.#near.samples[2 * i];
      nearEnergy += near[i] * near[i];
    }
    let best = { share: 0, lag: from };
    let energy = 1e-12;
    let base = heard.length - count - from / 2;
    const line = this.#far.line.samples;
    for (let i = base - (to - from) / 2 - DOTS; i < base + count; i++) heard[i] = line[this.#heardAt + 2 * i];
    for (let i = 0; i < count; i++) energy += heard[base + i] * heard[base + i];
    for (let lag = from; lag < to; lag += 2) {
      if ((lag - from) % 8 === 0) fourDots(near, heard, base, this.#dots);
      const dot = this.#dots[((lag - from) % 8) / 2];
      const share = (dot * dot) / (Math.max(energy, 1e-12) * nearEnergy);
      if (share > best.share) best = { share, lag };
      base -= 1;
      // The window slides back by one sample.
      energy += heard[base] * heard[base] - heard[base + count] * heard[base + count];
    }
    return best;
  }

  #best(around: number, wander: number): { share: number; lag: number } {
    let best = { share: 0, lag: around };
    for (let lag = Math.max(0, around - wander); lag <= Math.min(LAGS, around + wander); lag++) {
      const share = this.#explained(lag);
      if (share > best.share) best = { share, lag };
    }
    return best;
  }

  /** Squared normalised correlation over the window. */
  #explained(lag: number): number {
    const near = this.#near.samples;
    const heard = this.#far.line.samples;
    const base = this.#baseAt(lag);
    let [dot, energy, own] = [0, 1e-12, 1e-12];
    for (let i = 0; i < WINDOW; i++) {
      const value = heard[base + i];
      dot += near[i] * value;
      energy += value * value;
      own += near[i] * near[i];
    }
    return (dot * dot) / (energy * own);
  }

  #pathDb(lag: number): number {
    return levelDb(this.#near, 0, WINDOW) - levelDb(this.#far.line, this.#baseAt(lag), WINDOW);
  }

  /** Where the window lay in what was heard, so long ago. */
  #baseAt(lag: number): number {
    return this.#heardAt + HEARD - WINDOW - lag;
  }

  /** The loudest frame that may still be echoing at this delay. */
  #sourceDb(lag: number): number {
    let loudest = Number.NEGATIVE_INFINITY;
    const last = this.#heardAt + HEARD - FRAME - lag;
    for (let back = 0; back <= SMEAR; back += FRAME)
      loudest = Math.max(loudest, levelDb(this.#far.line, last - back, FRAME));
    return loudest;
  }
}

/** The loudest frame of what was heard lately; from one frame to the next only the newest is looked at. */
class LoudestFrame {
  readonly #far: FarEnd;
  readonly #means = new Float64Array(Math.floor(HEARD / FRAME));
  #end = Number.NEGATIVE_INFINITY;
  #changes = -1;

  constructor(far: FarEnd) {
    this.#far = far;
  }

  /** `at`: where in the far end's line the last `HEARD` samples begin, which end at `untilMs`. */
  db(at: number, untilMs: number): number {
    const { changes, line } = this.#far;
    const end = Math.round(untilMs * PER_MS);
    const isNext = end - this.#end === FRAME && changes === this.#changes;
    this.#end = end;
    this.#changes = changes;
    const means = this.#means;
    if (isNext) means.copyWithin(0, 1);
    for (let n = isNext ? means.length - 1 : 0; n < means.length; n++)
      means[n] = meanPower(line, at + n * FRAME, FRAME);
    let loudest = 0;
    for (let n = 0; n < means.length; n++) loudest = Math.max(loudest, means[n]);
    return decibels(loudest);
  }
}

/** How far the microphone stayed below what the caller heard, in the stretches before this one. */
class LeastLoss {
  readonly #parts: number[] = [];
  #part = Number.POSITIVE_INFINITY;
  #frames = 0;

  /** −∞ until a second of the agent's speech was heard. */
  get db(): number {
    return this.#parts.length < 2 ? Number.NEGATIVE_INFINITY : Math.min(...this.#parts);
  }

  add(heardDb: number, nearDb: number): void {
    if (heardDb < HEARD_DB) return;
    this.#part = Math.min(this.#part, heardDb - nearDb);
    if (++this.#frames < QUIET_PART_FRAMES) return;
    this.#parts.push(this.#part);
    if (this.#parts.length > QUIET_PARTS) this.#parts.shift();
    this.#part = Number.POSITIVE_INFINITY;
    this.#frames = 0;
  }
}

/**
 * `near` against what was heard from `base`, and from each of three samples before it; none waits for another's sum.
 */
function fourDots(near: Float64Array, heard: Float64Array, base: number, out: Float64Array): void {
  let [a, b, c, d] = [0, 0, 0, 0];
  for (let i = 0; i < near.length; i++) {
    const value = near[i];
    a += value * heard[base + i];
    b += value * heard[base + i - 1];
    c += value * heard[base + i - 2];
    d += value * heard[base + i - 3];
  }
  out[0] = a;
  out[1] = b;
  out[2] = c;
  out[3] = d;
}

/** Level of two sounds together. */
function louder(a: number, b: number): number {
  return 10 * Math.log10(10 ** (a / 10) + 10 ** (b / 10));
}

function levelDb(sound: Narrow, from: number, count: number): number {
  return decibels(meanPower(sound, from, count));
}

function meanPower({ power }: Narrow, from: number, count: number): number {
  let sum = 0;
  for (let i = from; i < from + count; i++) sum += power[i];
  return sum / count;
}

const decibels = (power: number): number => 10 * Math.log10(power + 1e-12);
