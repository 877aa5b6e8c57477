import type { CudaDevice } from '../native/cuda/device.ts';
import type { Residual } from './index.ts';

const UNSCALED = new Float32Array(0);

export const cudaResidual =
  (device: CudaDevice): Residual =>
  (x, branch, scale) => {
    const width = scale?.length ?? 1;
    device.run('residual', [x.length / width, width], [branch, scale ?? UNSCALED], [], [x]);
    return x;
  };
