/** What is known from a sample: the value, from how many, and between which bounds (95 %). */
import { skewnessOf, withoutSkewness } from './skewness.ts';
import { studentQuantile } from './student.ts';

export interface Estimate {
  readonly n: number;
  readonly value: number;
  /** 95 % confidence interval; null where the sample is too small for one. */
  readonly interval: readonly [low: number, high: number] | null;
}

export const CONFIDENCE = 0.95;
const LEAST_SLICES = 8;
/** Of neighbours: more lasts longer than the run, and less is chance. */
const MOST_CORRELATION = 0.9;
const LEAST_CORRELATION = -0.4;

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Of independent values. */
export function meanEstimate(values: readonly number[]): Estimate {
  const n = values.length;
  if (n === 0) return { n, value: Number.NaN, interval: null };
  const value = mean(values);
  if (n < 2) return { n, value, interval: null };
  const variance = values.reduce((sum, each) => sum + (each - value) ** 2, 0) / (n - 1);
  const half = studentQuantile((1 + CONFIDENCE) / 2, n - 1) * Math.sqrt(variance / n);
  return { n, value, interval: [value - half, value + half] };
}

/** Of a series whose neighbours depend on one another: the means of consecutive batches are nearly independent. */
export function batchMeansEstimate(series: readonly number[], batches = 20): Estimate {
  const size = Math.floor(series.length / batches);
  if (size < 2) return meanEstimate(series);
  const means = Array.from({ length: batches }, (_, i) => mean(series.slice(i * size, (i + 1) * size)));
  return { ...meanEstimate(means), n: series.length };
}

/**
 * The interval of a time average from its consecutive slices, which depend on their neighbours: the variance of
 * independent slices times (1 + ρ)/(1 − ρ), of correspondingly fewer degrees of freedom (an autoregressive process of
 * the first order); ρ is the correlation of neighbours, corrected for its bias. Bounds allow for skewness: a device
 * that is nearly always busy is idle in few slices, and a run that saw few of these would be too sure of itself. Null
 * where there are too few slices.
 */
export function sliceInterval(value: number, slices: readonly number[]): Estimate['interval'] {
  const n = slices.length;
  if (n < LEAST_SLICES) return null;
  const centre = mean(slices);
  const deviations = slices.map(slice => slice - centre);
  const squares = deviations.reduce((sum, each) => sum + each ** 2, 0);
  if (squares === 0) return [value, value];
  const neighbours = deviations.slice(1).reduce((sum, each, i) => sum + each * deviations[i], 0);
  const seen = neighbours / squares;
  const correlation = Math.min(MOST_CORRELATION, Math.max(LEAST_CORRELATION, seen + (1 + 3 * seen) / n));
  const inflation = (1 + correlation) / (1 - correlation);
  const scale = Math.sqrt(((squares / (n - 1)) * inflation) / n);
  const degrees = Math.max(1, Math.min(n - 1, Math.round((n - 1) / inflation)));
  const point = studentQuantile((1 + CONFIDENCE) / 2, degrees);
  const bound = (at: number) => value - scale * withoutSkewness(at, skewnessOf(deviations));
  return [bound(point), bound(-point)];
}

/** Linear between the order statistics (Hyndman and Fan's type 7). */
export function quantile(sorted: readonly number[], share: number): number {
  if (sorted.length === 0) return Number.NaN;
  const place = (sorted.length - 1) * share;
  const below = Math.floor(place);
  const above = Math.min(sorted.length - 1, below + 1);
  return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
}

/**
 * Of independent values, whatever their law: bounds are the order statistics between which the median lies with 95 %
 * (binomial).
 */
export function medianEstimate(values: readonly number[]): Estimate {
  const sorted = [...values].sort((a, b) => a - b);
  const n = sorted.length;
  // Chance that fewer than k values lie below the median: k values may be left off at either end while it is small.
  let [chance, below, off] = [2 ** -n, 0, 0];
  for (; below + chance <= (1 - CONFIDENCE) / 2; off++) {
    below += chance;
    chance *= (n - off) / (off + 1);
  }
  const interval = off === 0 ? null : ([sorted[off - 1], sorted[n - off]] as const);
  return { n, value: quantile(sorted, 0.5), interval };
}
