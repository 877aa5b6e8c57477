import { expect, it } from 'vitest';
import { snake } from '../../kernels/snake/reference.ts';

it('is x + sin²(αx)/(α + 1e-9) with the α of the column', () => {
  const out = snake(Float32Array.of(0.5, 0.5, -1, -1), 2, Float32Array.of(1, 2));
  expect(out[0]).toBeCloseTo(0.5 + Math.sin(0.5) ** 2, 6);
  expect(out[1]).toBeCloseTo(0.5 + Math.sin(1) ** 2 / 2, 6);
  expect(out[2]).toBeCloseTo(-1 + Math.sin(1) ** 2, 6);
  expect(out[3]).toBeCloseTo(-1 + Math.sin(2) ** 2 / 2, 6);
});

it('is the identity for α = 0 and may write over its input', () => {
  const x = Float32Array.of(0.25, -3);
  expect(snake(x, 2, Float32Array.of(0), x)).toBe(x);
  expect(x).toEqual(Float32Array.of(0.25, -3));
});
