import type { CudaDevice } from '../native/cuda/device.ts';
import type { Relu6 } from './index.ts';

export const cudaRelu6 =
  (device: CudaDevice): Relu6 =>
  (x, out = new Float32Array(x.length)) => {
    device.run('relu6', [x.length], [x], [out.subarray(0, x.length)]);
    return out;
  };
