import type { CudaDevice } from '../native/cuda/device.ts';
import { PENALTY_WINDOW, type Penalise } from './index.ts';

export const cudaPenalise =
  (device: CudaDevice): Penalise =>
  (logits, history, factor) => {
    const recent = new Int32Array(PENALTY_WINDOW);
    const last = history.subarray(-PENALTY_WINDOW);
    recent.set(last);
    const inputs = [recent, Int32Array.of(last.length), Float64Array.of(factor)];
    device.run('penalise', [logits.length, PENALTY_WINDOW], inputs, [], [logits]);
  };
