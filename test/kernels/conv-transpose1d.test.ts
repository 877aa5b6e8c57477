import { expect, it } from 'vitest';
import { prepareConvTranspose1d } from '../../kernels/conv-transpose1d/reference.ts';
import { transposed } from '../support/arrays.ts';

const weight = Float32Array.of(-10, 13, 8, -5, 8, 5, 13, 16, 1, -9, -5, -26);
const bias = Float32Array.of(-3, -13, -4);
const shape = { inputs: 2, outputs: 3, stride: 2 };

it('equals torch.nn.functional.conv_transpose1d with kernel = stride', () => {
  const x = transposed([13, 9, -2, 19, -4, -10], 2, 3);
  const expected = [114, 470, -145, 50, -113, -189, 110, -249, 55, -22, -39, 87, 5, -433, 88, 145, 30, 246];
  expect(prepareConvTranspose1d(weight, bias, shape).apply(x, 3)).toEqual(transposed(expected, 3, 6));
});

it('refuses weights that do not fit', () => {
  expect(() => prepareConvTranspose1d(weight, bias, { ...shape, stride: 3 })).toThrow(/stride: 3/);
});
