import type { CudaDevice } from '../native/cuda/device.ts';
import type { Snake } from './index.ts';

export const cudaSnake =
  (device: CudaDevice): Snake =>
  (x, rows, alpha, out = new Float32Array(rows * alpha.length)) => {
    const count = rows * alpha.length;
    device.run('snake', [rows, alpha.length], [x.subarray(0, count), alpha], [out.subarray(0, count)]);
    return out;
  };
