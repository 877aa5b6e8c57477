import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { resizeBicubic } from '../../kernels/resize-bicubic/reference.ts';

interface Case {
  width: number;
  height: number;
  data: number[];
  outWidth: number;
  outHeight: number;
  out: number[];
}
const cases: Case[] = JSON.parse(
  readFileSync(new URL('../fixtures/vision-ops/resize-bicubic.json', import.meta.url), 'utf8'),
);

test.each(cases)('$width×$height → $outWidth×$outHeight equals Pillow byte for byte', c => {
  const out = resizeBicubic(Uint8Array.from(c.data), c.width, c.height, 3, c.outWidth, c.outHeight);
  expect([...out]).toEqual(c.out);
});

test('an unchanged size copies the pixels', () => {
  const data = Uint8Array.from({ length: 4 * 3 * 3 }, (_, i) => i * 7);
  const out = resizeBicubic(data, 4, 3, 3, 4, 3);
  expect(out).toEqual(data);
  expect(out).not.toBe(data);
});

test('one channel of three resizes like the same picture in grey', () => {
  const grey = Uint8Array.from({ length: 10 * 8 }, (_, i) => (i * 53) % 256);
  const rgb = Uint8Array.from({ length: 10 * 8 * 3 }, (_, i) => grey[Math.floor(i / 3)]);
  const narrow = resizeBicubic(grey, 10, 8, 1, 7, 13);
  const wide = resizeBicubic(rgb, 10, 8, 3, 7, 13);
  narrow.forEach((value, i) => {
    expect(wide[i * 3 + 1]).toBe(value);
  });
});
