/**
 * LongCat-Flash as its makers measured it on 128 H800 (docs/spec/latency-data.md §3.1), and a straight line through it.
 */

import { ACCELERATORS } from './hardware.ts';
import { readModel } from '../models/read-model.ts';
import { cacheBytesPerToken } from './model-arithmetic.ts';

export interface MeasuredRow {
  readonly attention: 'BF16' | 'FP8';
  readonly meanContext: number;
  readonly tokensPerSecondPerDevice: number;
  readonly tokensPerSecondPerUser: number;
}

/** docs/spec/latency-data.md §3.1. */
export const LONGCAT_ROWS: readonly MeasuredRow[] = [
  { attention: 'BF16', meanContext: 5000, tokensPerSecondPerDevice: 3785, tokensPerSecondPerUser: 35 },
  { attention: 'BF16', meanContext: 5000, tokensPerSecondPerDevice: 2205, tokensPerSecondPerUser: 68.9 },
  { attention: 'BF16', meanContext: 5000, tokensPerSecondPerDevice: 804, tokensPerSecondPerUser: 100.5 },
  { attention: 'FP8', meanContext: 5000, tokensPerSecondPerDevice: 4230, tokensPerSecondPerUser: 26.4 },
  { attention: 'FP8', meanContext: 8192, tokensPerSecondPerDevice: 3240, tokensPerSecondPerUser: 33.8 },
];
/** docs/spec/latency-data.md §3.1: accepted tokens of one step. */
const TOKENS_PER_STEP = 1.9;
/** docs/spec/latency-data.md §3.1: on so many devices it was measured. */
export const MEASURED_DEVICES = 128;

export const batchPerDevice = (row: MeasuredRow) => row.tokensPerSecondPerDevice / row.tokensPerSecondPerUser;
export const stepMs = (row: MeasuredRow) => (1000 * TOKENS_PER_STEP) / row.tokensPerSecondPerUser;

/** `stepMs + batch × (perSequenceMs + context × perPositionMs)`. */
export interface StepLine {
  readonly stepMs: number;
  readonly perSequenceMs: number;
  readonly perPositionMs: number;
}

/**
 * Least squares; the part of the slope that reads the cache is known from its size (docs/spec/latency-data.md §3.1).
 */
export function fitStepLine(rows: readonly MeasuredRow[]): StepLine {
  const perPositionMs =
    cacheBytesPerToken(readModel('longcat-flash-omni')) / (ACCELERATORS.H800.hbmGbPerS * 1e6);
  const x = rows.map(batchPerDevice);
  const y = rows.map(row => stepMs(row) - batchPerDevice(row) * row.meanContext * perPositionMs);
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const meanX = mean(x);
  const meanY = mean(y);
  const covariance = x.reduce((sum, value, i) => sum + (value - meanX) * (y[i] - meanY), 0);
  const perSequenceMs = covariance / x.reduce((sum, value) => sum + (value - meanX) ** 2, 0);
  return { stepMs: meanY - perSequenceMs * meanX, perSequenceMs, perPositionMs };
}

export function predictStepMs(line: StepLine, batch: number, meanContext: number): number {
  return line.stepMs + batch * (line.perSequenceMs + meanContext * line.perPositionMs);
}
