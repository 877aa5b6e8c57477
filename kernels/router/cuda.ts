import { RuntimeError } from '../errors.ts';
import type { CudaDevice } from '../native/cuda/device.ts';
import type { PrepareRouter, Router } from './index.ts';

/** A lane of a warp per choice (router/cuda.cu). */
export const CUDA_MOST_CHOICES = 32;

export const cudaRouter =
  (device: CudaDevice): PrepareRouter =>
  (classifier, selectionBias, topK, factor): Router => {
    const [experts, hidden] = classifier.shape;
    if (selectionBias.length !== experts || topK < 1 || topK > Math.min(experts, CUDA_MOST_CHOICES)) {
      throw new RuntimeError('router.shape', 'Bias and top-k must fit the number of experts.', {
        tensor: classifier.name,
        experts,
        bias: selectionBias.length,
        topK,
      });
    }
    const weight = device.hold(classifier);
    return {
      apply(x, rows) {
        const indices = new Int32Array(rows * topK);
        const weights = new Float32Array(rows * topK);
        const inputs = [weight, selectionBias, x.subarray(0, rows * hidden)];
        device.run('router', [rows, hidden, experts, topK, factor], inputs, [indices, weights]);
        return { topK, indices, weights };
      },
    };
  };
