import { expect, it } from 'vitest';
import { prepareConv1d } from '../../kernels/conv1d/reference.ts';
import { seededArray, transposed } from '../support/arrays.ts';

// Integers from torch.nn.functional.conv1d (channels first there, rows first here).
const x = transposed([-8, -4, 12, 5, 6, -15, 18, 7, -10, -2, -12, 1, 15, 5, 3, 14, -3, 5], 2, 9);
const weight = Float32Array.of(-1, -7, 7, -12, -2, -14, 5, -3, -7, -16, -3, -2, -2, -7, 5, 12, 8, -5);
const bias = Float32Array.of(-21, 0, 5);
const shape = { inputs: 2, outputs: 3, kernel: 3, stride: 2, dilation: 2 };

it('equals PyTorch with stride and dilation', () => {
  const conv = prepareConv1d(weight, bias, shape);
  const expected = transposed([-103, -167, -381, -99, -143, -86, -74, 11, -36], 3, 3);
  expect(conv.apply(x, 9)).toEqual(expected);
  expect(conv.span).toBe(5);
});

it('gives no output before a window is full', () => {
  const conv = prepareConv1d(weight, bias, shape);
  expect([0, 4, 5, 6, 7].map(rows => conv.outputRows(rows))).toEqual([0, 0, 1, 1, 2]);
  expect(conv.apply(x, 4)).toHaveLength(0);
});

it('gives a window the same bits wherever it lies', () => {
  const conv = prepareConv1d(seededArray(5 * 4 * 7, 1), null, {
    inputs: 4,
    outputs: 5,
    kernel: 7,
    dilation: 3,
  });
  const long = seededArray(4 * 200, 2);
  const whole = conv.apply(long, 200);
  for (const start of [0, 1, 63, 64, 65, 181]) {
    const window = long.slice(start * 4, (start + conv.span) * 4);
    expect(conv.apply(window, conv.span)).toEqual(whole.slice(start * 5, start * 5 + 5));
  }
});

it('refuses weights that do not fit', () => {
  expect(() => prepareConv1d(weight, bias, { ...shape, kernel: 4 })).toThrow(/kernel: 4/);
});
