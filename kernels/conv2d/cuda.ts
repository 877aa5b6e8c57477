import type { CudaDevice } from '../native/cuda/device.ts';
import type { PrepareConv2d } from './index.ts';
import { checkConv2d } from './reference.ts';

export const cudaConv2d =
  (device: CudaDevice): PrepareConv2d =>
  (weight, bias, shape) => {
    checkConv2d(weight, bias, shape);
    const { inputs, outputs, kernel, bands, timeStride } = shape;
    const outputBands = bands - kernel + 1;
    const outputRows = (inputRows: number): number =>
      inputRows < kernel ? 0 : Math.floor((inputRows - kernel) / timeStride) + 1;
    return {
      shape,
      outputBands,
      outputRows,
      apply(x, inputRows, out = new Float32Array(outputRows(inputRows) * outputs * outputBands)) {
        const rows = outputRows(inputRows);
        const numbers = [inputs, outputs, kernel, bands, timeStride, inputRows, rows];
        const arrays = [weight, bias, x.subarray(0, inputRows * inputs * bands)];
        device.run('conv2d', numbers, arrays, [out.subarray(0, rows * outputs * outputBands)]);
        return out;
      },
    };
  };
