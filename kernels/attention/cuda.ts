import type { CudaDevice } from '../native/cuda/device.ts';
import type { Attention } from './index.ts';

export const cudaAttention =
  (device: CudaDevice): Attention =>
  (q, k, v, rows, heads, headDim, scale, out = new Float32Array(rows * heads * headDim)) => {
    const count = rows * heads * headDim;
    const inputs = [q, k, v].map(values => values.subarray(0, count));
    device.run('attention', [rows, heads, headDim, scale], inputs, [out.subarray(0, count)]);
    return out;
  };
