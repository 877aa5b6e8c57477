import type { NativeAddon } from '../native/addon.ts';
import type { PrepareConv1d } from './index.ts';
import { checkConv1d, weightByTap } from './reference.ts';

/** The product reads its windows where they lie; nothing is gathered. */
export const nativeConv1d =
  (addon: NativeAddon): PrepareConv1d =>
  (weight, bias, shape) => {
    checkConv1d(weight, bias, shape);
    const { inputs, outputs, kernel, dilation = 1, stride = 1 } = shape;
    const matrix = addon.packMatrix(weightByTap(weight, shape), bias, outputs, kernel * inputs);
    const span = (kernel - 1) * dilation + 1;
    const outputRows = (inputRows: number): number =>
      inputRows < span ? 0 : Math.floor((inputRows - span) / stride) + 1;
    return {
      shape,
      span,
      outputRows,
      apply(x, inputRows, out = new Float32Array(outputRows(inputRows) * outputs)) {
        addon.convolve(matrix, x, outputRows(inputRows), kernel, dilation, stride, out);
        return out;
      },
    };
  };
