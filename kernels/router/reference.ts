import { RuntimeError } from '../errors.ts';
import { prepareLinear } from '../linear/reference.ts';
import type { PrepareRouter, Router } from './index.ts';

export const prepareRouter: PrepareRouter = (classifier, selectionBias, topK, factor): Router => {
  const linear = prepareLinear(classifier, null);
  const experts = linear.outputs;
  if (selectionBias.length !== experts || topK < 1 || topK > experts) {
    throw new RuntimeError('router.shape', 'Bias and top-k must fit the number of experts.', {
      tensor: classifier.name,
      experts,
      bias: selectionBias.length,
      topK,
    });
  }
  const probabilities = new Float32Array(experts);
  const choice = new Float32Array(experts);

  return {
    apply(x, rows) {
      const logits = linear.apply(x, rows);
      const indices = new Int32Array(rows * topK);
      const weights = new Float32Array(rows * topK);
      for (let r = 0; r < rows; r++) {
        softmax(logits.subarray(r * experts, (r + 1) * experts), probabilities);
        for (let e = 0; e < experts; e++) choice[e] = probabilities[e] + selectionBias[e];
        const chosen = indices.subarray(r * topK, (r + 1) * topK);
        chooseLargest(choice, chosen);
        chosen.sort();
        for (let k = 0; k < topK; k++) weights[r * topK + k] = factor * probabilities[chosen[k]];
      }
      return { topK, indices, weights };
    },
  };
};

function softmax(logits: Float32Array, out: Float32Array): void {
  let max = Number.NEGATIVE_INFINITY;
  for (const logit of logits) if (logit > max) max = logit;
  let sum = 0;
  for (let e = 0; e < logits.length; e++) sum += Math.exp(logits[e] - max);
  for (let e = 0; e < logits.length; e++) out[e] = Math.exp(logits[e] - max) / sum;
}

/** Repeated arg-max: the first of equals wins. */
function chooseLargest(values: Float32Array, chosen: Int32Array): void {
  const taken = new Uint8Array(values.length);
  for (let k = 0; k < chosen.length; k++) {
    let best = -1;
    for (let e = 0; e < values.length; e++) {
      if (!taken[e] && (best < 0 || values[e] > values[best])) best = e;
    }
    taken[best] = 1;
    chosen[k] = best;
  }
}
