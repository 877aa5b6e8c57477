import type { CudaDevice } from '../native/cuda/device.ts';
import { kernelByTap } from './cpu.ts';
import type { PrepareFsmn } from './index.ts';

export const cudaFsmn =
  (device: CudaDevice): PrepareFsmn =>
  (kernel, shape) => {
    const { width, left, right, dilation } = shape;
    const taps = left + 1 + right;
    const byTap = kernelByTap(kernel, width);
    return {
      shape,
      apply(x, g, rows, out = new Float32Array(rows * width)) {
        const context = g.subarray(0, (rows + (taps - 1) * dilation) * width);
        const inputs = [byTap, x.subarray(0, rows * width), context];
        device.run('fsmn', [rows, width, taps, dilation], inputs, [out.subarray(0, rows * width)]);
        return out;
      },
    };
  };
