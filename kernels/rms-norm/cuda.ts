import type { CudaDevice } from '../native/cuda/device.ts';
import type { RmsNorm } from './index.ts';

export const cudaRmsNorm =
  (device: CudaDevice): RmsNorm =>
  (x, rows, weight, epsilon, out = new Float32Array(rows * weight.length)) => {
    const count = rows * weight.length;
    const numbers = [rows, weight.length, epsilon];
    device.run('rmsNorm', numbers, [x.subarray(0, count), weight], [out.subarray(0, count)]);
    return out;
  };
