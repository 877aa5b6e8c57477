import { expect, it } from 'vitest';
import { prepareFsmn } from '../../kernels/fsmn/reference.ts';

it('adds x and the taps of its own column, ordered oldest to newest', () => {
  // Two columns, one tap before and one after: y_t = x_t + 1·g_{t−1} + 10·g_t + 100·g_{t+1}, doubled in column 1.
  const fsmn = prepareFsmn(Float32Array.of(1, 10, 100, 2, 20, 200), {
    width: 2,
    left: 1,
    right: 1,
    dilation: 1,
  });
  const g = Float32Array.of(1, 1, 2, 2, 3, 3, 4, 4);
  const x = Float32Array.of(0.5, 0, 0.25, 0);
  expect(fsmn.apply(x, g, 2)).toEqual(Float32Array.of(321.5, 642, 432.25, 864));
});

it('spaces its taps by the dilation', () => {
  const fsmn = prepareFsmn(Float32Array.of(1, 10), { width: 1, left: 1, right: 0, dilation: 2 });
  expect(fsmn.apply(Float32Array.of(0, 0), Float32Array.of(1, 2, 3, 4), 2)).toEqual(Float32Array.of(31, 42));
});

it('may write over x', () => {
  const fsmn = prepareFsmn(Float32Array.of(2), { width: 1, left: 0, right: 0, dilation: 1 });
  const x = Float32Array.of(1, 2);
  expect(fsmn.apply(x, Float32Array.of(3, 4), 2, x)).toBe(x);
  expect(x).toEqual(Float32Array.of(7, 10));
});
