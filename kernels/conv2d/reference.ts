import { RuntimeError } from '../errors.ts';
import type { PrepareLinear } from '../linear/index.ts';
import { prepareLinear } from '../linear/reference.ts';
import { createWeight } from '../weights/index.ts';
import type { Conv2dShape, PrepareConv2d } from './index.ts';

/** @throws RuntimeError `conv2d.shape` */
export function checkConv2d(weight: Float32Array, bias: Float32Array, shape: Conv2dShape): void {
  const { inputs, outputs, kernel, bands } = shape;
  if (weight.length === outputs * inputs * kernel * kernel && bias.length === outputs && bands >= kernel)
    return;
  throw new RuntimeError('conv2d.shape', 'Weight and bias do not fit the convolution.', {
    ...shape,
    weight: weight.length,
    bias: bias.length,
  });
}

/** One time step at a time: the windows of all its frequencies are gathered and multiplied together. */
export const conv2dOver =
  (linearOf: PrepareLinear): PrepareConv2d =>
  (weight, bias, shape) => {
    checkConv2d(weight, bias, shape);
    const { inputs, outputs, kernel, bands, timeStride } = shape;
    const window = inputs * kernel * kernel;
    const outputBands = bands - kernel + 1;
    const linear = linearOf(createWeight('conv2d', [outputs, window], 'f32', weight), bias);
    const windows = new Float32Array(outputBands * window);
    const byBand = new Float32Array(outputBands * outputs);
    const outputRows = (inputRows: number): number =>
      inputRows < kernel ? 0 : Math.floor((inputRows - kernel) / timeStride) + 1;

    return {
      shape,
      outputBands,
      outputRows,
      apply(x, inputRows, out = new Float32Array(outputRows(inputRows) * outputs * outputBands)) {
        const rows = outputRows(inputRows);
        for (let t = 0; t < rows; t++) {
          let written = 0;
          for (let f = 0; f < outputBands; f++) {
            for (let i = 0; i < inputs; i++) {
              for (let a = 0; a < kernel; a++) {
                const from = ((t * timeStride + a) * inputs + i) * bands + f;
                for (let b = 0; b < kernel; b++) windows[written++] = x[from + b];
              }
            }
          }
          linear.apply(windows, outputBands, byBand);
          const base = t * outputs * outputBands;
          for (let f = 0; f < outputBands; f++) {
            for (let o = 0; o < outputs; o++) out[base + o * outputBands + f] = byBand[f * outputs + o];
          }
        }
        return out;
      },
    };
  };

export const prepareConv2d: PrepareConv2d = conv2dOver(prepareLinear);
