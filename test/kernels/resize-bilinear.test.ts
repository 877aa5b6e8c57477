import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { resizeBilinear } from '../../kernels/resize-bilinear/reference.ts';

interface Case {
  rows: number;
  columns: number;
  channels: number;
  outRows: number;
  outColumns: number;
  x: number[];
  out: number[];
}
const cases: Case[] = JSON.parse(
  readFileSync(new URL('../fixtures/vision-ops/resize-bilinear.json', import.meta.url), 'utf8'),
);

test.each(cases)('$rows×$columns → $outRows×$outColumns equals PyTorch interpolate', c => {
  const out = resizeBilinear(Float32Array.from(c.x), c.rows, c.columns, c.channels, c.outRows, c.outColumns);
  out.forEach((value, i) => {
    expect(value).toBeCloseTo(c.out[i], 5);
  });
});

test('a constant field stays constant', () => {
  const out = resizeBilinear(new Float32Array(5 * 7 * 2).fill(3), 5, 7, 2, 2, 9);
  expect(out).toEqual(new Float32Array(2 * 9 * 2).fill(3));
});
