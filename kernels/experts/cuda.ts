import { asStored, type CudaDevice } from '../native/cuda/device.ts';
import type { Experts, PrepareExperts } from './index.ts';

export const cudaExperts =
  (device: CudaDevice): PrepareExperts =>
  (weights, hidden): Experts => {
    const inner = weights.length > 0 ? weights[0].gate.shape[0] : 1;
    const matrices = weights
      .flatMap(({ gate, up, down }) => [gate, up, down])
      .map(weight => device.hold(asStored(weight)));
    return {
      apply(x, rows, { topK, indices, weights: factors }, out = new Float32Array(rows * hidden)) {
        const slots = rows * topK;
        const inputs = [
          ...matrices,
          x.subarray(0, rows * hidden),
          indices.subarray(0, slots),
          factors.subarray(0, slots),
        ];
        const numbers = [rows, hidden, inner, weights.length, topK];
        device.run('experts', numbers, inputs, [out.subarray(0, rows * hidden)]);
        return out;
      },
    };
  };
