import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { prepareLinear } from '../../kernels/linear/reference.ts';
import { patchify } from '../../kernels/patchify/reference.ts';
import { createWeight } from '../../kernels/weights/index.ts';

interface Case {
  patch: number;
  height: number;
  width: number;
  frames: number[][];
  mean: number[];
  std: number[];
  embedding: number;
  weight: number[];
  bias: number[];
  out: number[];
}
const c: Case = JSON.parse(
  readFileSync(new URL('../fixtures/vision-ops/patchify.json', import.meta.url), 'utf8'),
);
const frames = c.frames.map(frame => Uint8Array.from(frame));

test('patchify and a linear layer equal a 3D convolution with kernel = stride', () => {
  const patches = patchify(frames, c);
  const length = 3 * 2 * c.patch * c.patch;
  const rows = (c.height / c.patch) * (c.width / c.patch);
  expect(patches.length).toBe(rows * length);
  const weight = createWeight('conv', [c.embedding, length], 'f32', Float32Array.from(c.weight));
  const out = prepareLinear(weight, Float32Array.from(c.bias)).apply(patches, rows);
  c.out.forEach((value, i) => {
    expect(out[i]).toBeCloseTo(value, 5);
  });
});

test('a patch vector is ordered (channel, time, row, column)', () => {
  const plain = { height: 2, width: 2, patch: 2, mean: [0, 0, 0], std: [1, 1, 1] };
  const first = Uint8Array.from({ length: 12 }, (_, i) => i);
  const second = first.map(value => value + 100);
  const values = [...patchify([first, second], plain)].map(value => Math.round(value * 255));
  expect(values).toEqual(
    [
      [0, 3, 6, 9, 100, 103, 106, 109],
      [1, 4, 7, 10, 101, 104, 107, 110],
      [2, 5, 8, 11, 102, 105, 108, 111],
    ].flat(),
  );
});

test('levels are normalised with the mean and deviation of their channel', () => {
  const one = { height: 1, width: 1, patch: 1, mean: c.mean, std: c.std };
  const values = patchify([Uint8Array.of(0, 128, 255)], one);
  [0, 128, 255].forEach((level, channel) => {
    expect(values[channel]).toBeCloseTo((level / 255 - c.mean[channel]) / c.std[channel], 6);
  });
});
