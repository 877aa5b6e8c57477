import type { CudaDevice } from '../native/cuda/device.ts';
import type { PrepareRotary } from './index.ts';
import { rotaryFrequencies } from './reference.ts';

export const cudaRotary =
  (device: CudaDevice): PrepareRotary =>
  (width, base) => {
    const frequencies = rotaryFrequencies(width, base);
    return {
      apply(x, { rows, stride, offset, heads, headStride }, positions) {
        const numbers = [rows, stride, offset, heads, headStride, width / 2];
        device.run('rotary', numbers, [frequencies, positions], [], [x]);
      },
    };
  };
