import { expect, it } from 'vitest';
import { layerNorm } from '../../kernels/layer-norm/reference.ts';
import { seededArray } from '../support/arrays.ts';

it('takes mean and biased variance of each row, then weight and bias', () => {
  // Row 0: mean 2, variance 2; row 1 is constant.
  const out = layerNorm(
    Float32Array.of(0, 2, 2, 4, 7, 7, 7, 7),
    2,
    Float32Array.of(1, 1, 1, 2),
    Float32Array.of(0, 0, 3, 0),
    0.25,
  );
  const scale = 1 / Math.sqrt(2.25);
  [-2 * scale, 0, 3, 4 * scale, 0, 0, 3, 0].forEach((value, i) => {
    expect(out[i]).toBeCloseTo(value, 6);
  });
});

it('keeps small differences on a large mean', () => {
  const one = new Float32Array(4).fill(1);
  const zero = new Float32Array(4);
  const out = layerNorm(Float32Array.of(16384, 16385, 16386, 16387), 1, one, zero, 0);
  expect(out[3]).toBeCloseTo(1.5 / Math.sqrt(1.25), 5);
});

it('gives a row the same bits alone and in a batch, in place or not', () => {
  const x = seededArray(60, 3);
  const weight = seededArray(20, 4);
  const bias = seededArray(20, 5);
  const whole = layerNorm(x, 3, weight, bias, 1e-5);
  expect(layerNorm(x.slice(20, 40), 1, weight, bias, 1e-5)).toEqual(whole.slice(20, 40));
  expect(layerNorm(x, 3, weight, bias, 1e-5, x)).toBe(x);
  expect(x).toEqual(whole);
});
