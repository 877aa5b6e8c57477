import { asStored, type CudaDevice } from '../native/cuda/device.ts';
import type { PrepareFeedForward } from './index.ts';

export const cudaFeedForward =
  (device: CudaDevice): PrepareFeedForward =>
  ({ gate, up, down }) => {
    const [inner, hidden] = gate.shape;
    const matrices = [gate, up, down].map(weight => device.hold(asStored(weight)));
    return {
      apply(x, rows, out = new Float32Array(rows * hidden)) {
        const inputs = [...matrices, x.subarray(0, rows * hidden)];
        device.run('feedForward', [inner, hidden, rows], inputs, [out.subarray(0, rows * hidden)]);
        return out;
      },
    };
  };
