/** How people behave, as distributions (docs/spec/latency-data.md §4). Seconds unless the name says otherwise. */
import { exponential, normal, type Random } from '../../actors/core/index.ts';

/** `Normal(mean, deviation) + Exp(tail)`. */
export interface ExGaussian {
  readonly mean: number;
  readonly deviation: number;
  readonly tail: number;
}

/** docs/spec/latency-data.md §4.1: between people; and of people who wait for a machine, truncated at 0. */
export const HUMAN_GAP: ExGaussian = { mean: -0.08, deviation: 0.28, tail: 0.29 };
export const MACHINE_GAP: ExGaussian = { mean: 0.25, deviation: 0.25, tail: 0.45 };
/** docs/spec/latency-data.md §4.1: deviation of the shift that a dialogue as a whole has. */
export const DIALOGUE_SHIFT_S = 0.1;

export interface LogNormal {
  readonly median: number;
  readonly sigma: number;
}

export function exGaussian(random: Random, { mean, deviation, tail }: ExGaussian): number {
  return normal(random, mean, deviation) + exponential(random, tail);
}

export function logNormal(random: Random, { median, sigma }: LogNormal): number {
  return median * Math.exp(normal(random, 0, sigma));
}

/** Knuth's product of uniforms; for small means. */
function poisson(random: Random, mean: number): number {
  const limit = Math.exp(-mean);
  let count = 0;
  for (let product = random.next(); product > limit; product *= random.next()) count++;
  return count;
}

export interface TurnLaw {
  readonly talkS: LogNormal;
  readonly pauseS: LogNormal;
  /** Talk per pause on average; 0 = no pauses. */
  readonly talkPerPauseS: number;
}

/** A stretch of a turn: this long speech, then this long silence. */
export interface Stretch {
  readonly speechMs: number;
  readonly pauseMs: number;
}

/** docs/spec/latency-data.md §4.2: silences below this are part of speech. */
const BRIDGED_PAUSE_S = 0.2;
const MIN_TALK_S = 0.3;

/** One turn: speech with pauses inside; the last stretch has none. */
export function drawTurn(random: Random, law: TurnLaw): Stretch[] {
  const talkS = Math.max(MIN_TALK_S, logNormal(random, law.talkS));
  const pauses = law.talkPerPauseS > 0 ? poisson(random, talkS / law.talkPerPauseS) : 0;
  const places = Array.from({ length: pauses }, () => random.next() * talkS).sort((a, b) => a - b);
  const stretches: Stretch[] = [];
  let spoken = 0;
  for (const place of places) {
    const pauseS = logNormal(random, law.pauseS);
    // A pause that falls on another's place, or too short to be one, is bridged.
    if (pauseS < BRIDGED_PAUSE_S || place - spoken < MIN_TALK_S || talkS - place < MIN_TALK_S) continue;
    stretches.push({ speechMs: (place - spoken) * 1000, pauseMs: pauseS * 1000 });
    spoken = place;
  }
  stretches.push({ speechMs: (talkS - spoken) * 1000, pauseMs: 0 });
  return stretches;
}
