import type { CudaDevice } from '../native/cuda/device.ts';
import type { Gelu } from './index.ts';

export const cudaGelu =
  (device: CudaDevice): Gelu =>
  (x, out = new Float32Array(x.length)) => {
    device.run('gelu', [x.length], [x], [out.subarray(0, x.length)]);
    return out;
  };
