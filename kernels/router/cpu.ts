import { RuntimeError } from '../errors.ts';
import { packWeight } from '../linear/cpu.ts';
import type { NativeAddon } from '../native/addon.ts';
import type { PrepareRouter, Router } from './index.ts';

export const nativeRouter =
  (addon: NativeAddon): PrepareRouter =>
  (classifier, selectionBias, topK, factor): Router => {
    const { outputs: experts, matrix } = packWeight(addon, classifier, null);
    if (selectionBias.length !== experts || topK < 1 || topK > experts) {
      throw new RuntimeError('router.shape', 'Bias and top-k must fit the number of experts.', {
        tensor: classifier.name,
        experts,
        bias: selectionBias.length,
        topK,
      });
    }
    return {
      apply(x, rows) {
        const indices = new Int32Array(rows * topK);
        const weights = new Float32Array(rows * topK);
        addon.route(matrix, x, rows, selectionBias, topK, factor, indices, weights);
        return { topK, indices, weights };
      },
    };
  };
