import { expect, it } from 'vitest';
import { erf } from '../../kernels/gelu/erf.ts';
import { gelu } from '../../kernels/gelu/reference.ts';

// Values of Python's math.erf.
const ERF: readonly [number, number][] = [
  [0, 0],
  [0.01, 0.011283415555849616],
  [0.3, 0.3286267594591274],
  [0.5, 0.5204998778130465],
  [1, 0.8427007929497149],
  [1.5, 0.9661051464753108],
  [2.2, 0.9981371537020182],
  [3.3, 0.9999969422902035],
  [4.7, 0.9999999999700474],
  [7, 1],
];

it('has the error function to twelve digits, odd around zero', () => {
  for (const [x, expected] of ERF) {
    expect(Math.abs(erf(x) - expected)).toBeLessThan(1e-12);
    expect(erf(-x)).toBeCloseTo(-erf(x), 15);
  }
  expect(erf(Number.NEGATIVE_INFINITY)).toBe(-1);
  expect(erf(Number.NaN)).toBeNaN();
});

it('is continuous where two expansions meet', () => {
  for (let node = 0; node < 384; node++) {
    const middle = (node + 0.5) / 64;
    expect(Math.abs(erf(middle + 1e-9) - erf(middle - 1e-9))).toBeLessThan(3e-9);
  }
});

it('is x·½(1 + erf(x/√2))', () => {
  // 0.8413447460685429 is the standard normal distribution at 1.
  const out = gelu(Float32Array.of(-1, 0, 1, 20, -20));
  expect(out[0]).toBeCloseTo(-0.15865525393145707, 7);
  expect(out[1]).toBe(0);
  expect(out[2]).toBeCloseTo(0.8413447460685429, 7);
  expect(out[3]).toBe(20);
  expect(Math.abs(out[4])).toBe(0);
});
