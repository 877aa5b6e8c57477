/**
 * Long waits that are rare: one or two in a hundred turns, each a second or more, so that a run sees few of them or
 * none. No arithmetic of spreads finds in a sample what is not in it. Therefore what lies beyond a fence counts by
 * itself, as a number of events (mid-P bounds of a Poisson count, Byar's approximation; Rothman and Boice 1979) times
 * their size, and is put together with the spread of the rest by its squares (MOVER; Zou and Donner, Statistics in
 * Medicine 27:1693, 2008).
 */
import { quantile } from './estimates.ts';

/** Beyond the upper quartile, in ranges between the quartiles. */
const FENCE = 6;
/**
 * Of how large a rare wait is, few were seen or none: a quarter of one of half the greatest is added to them. Chosen on
 * the first 150 seeds of `bench -- coverage`.
 */
const PRIOR_WEIGHT = 0.25;
const PRIOR_SHARE = 0.5;
const NORMAL_POINT = 1.96;

export interface RareExcess {
  readonly fence: number;
  /** Of all values, what lies beyond the fence; a mean over them. */
  readonly mean: number;
  /** How much less and more that mean may really be (95 %). */
  readonly lessBy: number;
  readonly moreBy: number;
}

/** @param greatest no value can be greater */
export function rareExcess(values: readonly number[], greatest: number): RareExcess {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = quantile(sorted, 0.75);
  const fence = Math.min(greatest, upper + FENCE * (upper - quantile(sorted, 0.25)));
  const beyond = sorted.filter(value => value > fence).map(value => value - fence);
  const n = sorted.length;
  const prior = PRIOR_SHARE * (greatest - fence);
  const squares = beyond.reduce((sum, one) => sum + one ** 2, PRIOR_WEIGHT * prior ** 2);
  const size = Math.sqrt(squares / (beyond.length + PRIOR_WEIGHT));
  const count = beyond.length;
  return {
    fence,
    mean: beyond.reduce((sum, one) => sum + one, 0) / n,
    lessBy: ((count - countBound(count, -NORMAL_POINT)) * size) / n,
    moreBy: ((countBound(count, NORMAL_POINT) - count) * size) / n,
  };
}

/** Of events that happened so often, how often they may on average. */
function countBound(count: number, point: number): number {
  if (count === 0 && point < 0) return 0;
  const middle = count + 0.5;
  return middle * Math.max(0, 1 - 1 / (9 * middle) + point / 3 / Math.sqrt(middle)) ** 3;
}
