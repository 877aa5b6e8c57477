/**
 * How well a model tells from the words whether somebody goes on: the log-odds that it gives lie normally around one
 * mean where the turn is over and around another where it is not. Drawn with each stretch of speech and carried by the
 * coded activity itself, so that the judgement reaches the modelled engine the way the sound does.
 */
import { normal, type Random } from '../../actors/core/index.ts';
import { SPEECH } from './voice.ts';

export interface LogOdds {
  readonly mean: number;
  readonly deviation: number;
}

/** Of P(goes on). */
export interface JudgementLaw {
  readonly done: LogOdds;
  readonly goesOn: LogOdds;
}

/** Steps of the code: log-odds from −12 to 12, in activities just above that of speech. */
const LEVELS = 96;
const MOST = 12;
const CODED = 0.04;

/** The activity of a stretch that is judged so. */
export function judgedActivity(random: Random, { mean, deviation }: LogOdds): number {
  const logOdds = Math.min(MOST, Math.max(-MOST, normal(random, mean, deviation)));
  const level = Math.round(((logOdds + MOST) / (2 * MOST)) * LEVELS);
  return SPEECH + ((level + 1) / (LEVELS + 1)) * CODED;
}

/** P(the speaker goes on) that a sound of this activity carries; null where it carries none. */
export function judgementOf(activity: number): number | null {
  const level = Math.round(((activity - SPEECH) / CODED) * (LEVELS + 1)) - 1;
  if (level < 0 || level > LEVELS) return null;
  const logOdds = (level / LEVELS) * 2 * MOST - MOST;
  return 1 / (1 + Math.exp(-logOdds));
}
