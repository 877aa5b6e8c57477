import type { CudaDevice } from '../native/cuda/device.ts';
import type { SampleToken } from './index.ts';

export const cudaSampleToken =
  (device: CudaDevice): SampleToken =>
  (logits, { temperature, topK, topP, draw }) => {
    const chosen = new Int32Array(1);
    const request = Float64Array.of(temperature, topP, topK, draw);
    device.run('sampleToken', [logits.length], [logits, request], [chosen]);
    return chosen[0];
  };
