import { expect, it } from 'vitest';
import { relu6 } from '../../kernels/relu6/reference.ts';

it('cuts at 0 and at 6 and keeps what is between, in place if asked', () => {
  const x = Float32Array.of(-1e30, -0.5, 0, 0.25, 5.75, 6, 6.5, Number.POSITIVE_INFINITY);
  expect(relu6(x, x)).toBe(x);
  expect(x).toEqual(Float32Array.of(0, 0, 0, 0.25, 5.75, 6, 6, 6));
});

it('lets NaN through instead of hiding it', () => {
  expect(relu6(Float32Array.of(Number.NaN))[0]).toBeNaN();
});
