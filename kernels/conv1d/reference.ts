import { RuntimeError } from '../errors.ts';
import { prepareLinear } from '../linear/reference.ts';
import { createWeight } from '../weights/index.ts';
import type { Conv1dShape, PrepareConv1d } from './index.ts';

/** Windows gathered before they are multiplied; bounds the scratch memory, not the result. */
const BLOCK_ROWS = 64;

/** @throws RuntimeError `conv1d.shape` */
export function checkConv1d(weight: Float32Array, bias: Float32Array | null, shape: Conv1dShape): void {
  const { inputs, outputs, kernel } = shape;
  if (weight.length === outputs * inputs * kernel && (!bias || bias.length === outputs)) return;
  throw new RuntimeError('conv1d.shape', 'Weight and bias do not fit the convolution.', {
    ...shape,
    weight: weight.length,
    bias: bias?.length,
  });
}

/** [outputs × inputs × kernel] → [outputs × kernel × inputs]: a window's values in the order of its rows. */
export function weightByTap(weight: Float32Array, { inputs, outputs, kernel }: Conv1dShape): Float32Array {
  const byTap = new Float32Array(weight.length);
  for (let o = 0; o < outputs; o++) {
    for (let i = 0; i < inputs; i++) {
      for (let k = 0; k < kernel; k++) {
        byTap[(o * kernel + k) * inputs + i] = weight[(o * inputs + i) * kernel + k];
      }
    }
  }
  return byTap;
}

/** A convolution is a linear layer over windows: each window is gathered tap by tap, oldest first. */
export const prepareConv1d: PrepareConv1d = (weight, bias, shape) => {
  checkConv1d(weight, bias, shape);
  const { inputs, outputs, kernel, dilation = 1, stride = 1 } = shape;
  const byTap = weightByTap(weight, shape);
  const window = kernel * inputs;
  const linear = prepareLinear(createWeight('conv1d', [outputs, window], 'f32', byTap), bias);
  const windows = new Float32Array(BLOCK_ROWS * window);
  const span = (kernel - 1) * dilation + 1;
  const outputRows = (inputRows: number): number =>
    inputRows < span ? 0 : Math.floor((inputRows - span) / stride) + 1;

  return {
    shape,
    span,
    outputRows,
    apply(x, inputRows, out = new Float32Array(outputRows(inputRows) * outputs)) {
      if (kernel === 1 && stride === 1) return linear.apply(x, inputRows, out);
      const rows = outputRows(inputRows);
      for (let start = 0; start < rows; start += BLOCK_ROWS) {
        const count = Math.min(BLOCK_ROWS, rows - start);
        let written = 0;
        for (let t = start; t < start + count; t++) {
          for (let k = 0; k < kernel; k++) {
            const from = (t * stride + k * dilation) * inputs;
            for (let i = 0; i < inputs; i++) windows[written++] = x[from + i];
          }
        }
        linear.apply(windows, count, out.subarray(start * outputs, (start + count) * outputs));
      }
      return out;
    },
  };
};
