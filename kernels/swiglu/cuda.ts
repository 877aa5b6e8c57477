import type { CudaDevice } from '../native/cuda/device.ts';
import type { Swiglu } from './index.ts';

export const cudaSwiglu =
  (device: CudaDevice): Swiglu =>
  (gate, up, out = new Float32Array(gate.length)) => {
    device.run('swiglu', [gate.length], [gate, up], [out.subarray(0, gate.length)]);
    return out;
  };
