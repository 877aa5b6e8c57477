import { expect, it } from 'vitest';
import { prepareConv2d } from '../../kernels/conv2d/reference.ts';

// Integers from torch.nn.functional.conv2d on [channel 2][time 5][frequency 4], stride (2, 1).
const channels = [
  [-5, -7, -13, -12, -13, 2, -1, 14, 6, 11, -3, 0, 0, -16, 5, 0, 12, 4, 6, 15],
  [10, -6, -4, 1, -6, -9, 10, 1, 13, -8, 3, 10, 0, -20, 4, 10, 12, 7, 3, 0],
];
const weight = Float32Array.of(
  ...[5, 0, 8, -13, -9, -20, 24, 3, 3, 4, -3, -5, -6, -4, 4, -11, 2, -1],
  ...[11, 2, -5, 4, -5, -7, 0, 12, -3, 1, -18, 3, 10, 18, 8, -7, 1, 6],
);
const shape = { inputs: 2, outputs: 2, kernel: 3, bands: 4, timeStride: 2 };
const conv = prepareConv2d(weight, Float32Array.of(-11, 1), shape);

it('equals PyTorch, each time step holding its channels one after the other', () => {
  const x = Float32Array.from({ length: 40 }, (_, i) => channels[(i >> 2) % 2][(i >> 3) * 4 + (i % 4)]);
  // PyTorch gives [channel][time][frequency] = 227 −99 | 393 348 || −34 123 | −42 −72.
  expect([...conv.apply(x, 5)]).toEqual([227, -99, -34, 123, 393, 348, -42, -72]);
});

it('gives no row before three time steps', () => {
  expect([0, 2, 3, 4, 5].map(rows => conv.outputRows(rows))).toEqual([0, 0, 1, 1, 2]);
});
