import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { rotary2d } from '../../kernels/rotary-2d/reference.ts';

interface Case {
  rows: number;
  columns: number;
  heads: number;
  headDim: number;
  base: number;
  x: number[];
  out: number[];
}
const c: Case = JSON.parse(
  readFileSync(new URL('../fixtures/vision-ops/rotary-2d.json', import.meta.url), 'utf8'),
);
const x = Float32Array.from(c.x);

test('equals complex rotation by the angles of the specification', () => {
  const out = rotary2d(x, c, c.heads, c.headDim, c.base);
  out.forEach((value, i) => {
    expect(value).toBeCloseTo(c.out[i], 5);
  });
});

test('works in place', () => {
  const copy = x.slice();
  expect(rotary2d(copy, c, c.heads, c.headDim, c.base, copy)).toBe(copy);
  expect(copy).toEqual(rotary2d(x, c, c.heads, c.headDim, c.base));
});

test('scores depend on the distance of two patches only', () => {
  const grid = { rows: 4, columns: 5 };
  const same = (vector: number[]) => Float32Array.from({ length: 20 * 8 }, (_, i) => vector[i % 8]);
  const q = rotary2d(same([1, -2, 3, 0.5, 2, 1, -1, 0.25]), grid, 1, 8, 10000);
  const k = rotary2d(same([0.3, 1, -1, 2, 0.7, -2, 1.5, 1]), grid, 1, 8, 10000);
  const score = (i: number, j: number) => {
    let sum = 0;
    for (let d = 0; d < 8; d++) sum += q[i * 8 + d] * k[j * 8 + d];
    return sum;
  };
  // From (0,0) to (1,2), and the same step from (2,1).
  expect(score(0, 7)).toBeCloseTo(score(11, 18), 4);
  expect(score(0, 7)).not.toBeCloseTo(score(0, 8), 2);
});
