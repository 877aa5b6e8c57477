/** What is known from a sample: the value, from how many, and between which bounds (95 %). */
import { studentQuantile } from './student.ts';

export interface Estimate {
  readonly n: number;
  readonly value: number;
  /** 95 % confidence interval; null where the sample is too small for one. */
  readonly interval: readonly [low: number, high: number] | null;
}

export const CONFIDENCE = 0.95;

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

/** Linear between the order statistics (Hyndman and Fan's type 7). */
export function quantile(sorted: readonly number[], share: number): number {
  if (sorted.length === 0) return Number.NaN;
  const place = (sorted.length - 1) * share;
  const below = Math.floor(place);
  const above = Math.min(sorted.length - 1, below + 1);
  return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
}
