import { expect, it } from 'vitest';
import { cmvnStatistics } from '../../kernels/cmvn/index.ts';
import { cmvn } from '../../kernels/cmvn/reference.ts';

it('subtracts the mean and divides by the deviation of each column', () => {
  // Column 0 holds 1, 2, 3 (mean 2, variance 2/3); column 1 is always 5.
  const statistics = cmvnStatistics([6, 15, 3], [14, 75, 0]);
  expect(statistics.mean).toEqual(Float32Array.of(2, 5));
  expect(statistics.deviation[0]).toBeCloseTo(Math.sqrt(2 / 3), 6);
  const out = cmvn(Float32Array.of(1, 5, 3, 5), 2, statistics);
  expect(out[0]).toBeCloseTo(-Math.sqrt(1.5), 6);
  expect(out[2]).toBeCloseTo(Math.sqrt(1.5), 6);
  expect([out[1], out[3]]).toEqual([0, 0]);
});

it('keeps a column without variance finite: its deviation is 1.19e-7', () => {
  expect(cmvnStatistics([15, 3], [75, 0]).deviation[0]).toBe(Math.fround(1.19e-7));
  expect(cmvnStatistics([3, 3], [2.9, 0]).deviation[0]).toBe(Math.fround(1.19e-7));
});

it('may write over its input', () => {
  const x = Float32Array.of(4, 8);
  expect(cmvn(x, 1, { mean: Float32Array.of(2, 2), deviation: Float32Array.of(2, 3) }, x)).toBe(x);
  expect(x).toEqual(Float32Array.of(1, 2));
});
