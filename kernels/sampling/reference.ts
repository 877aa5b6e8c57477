import type { SampleToken } from './index.ts';

/** The first of the largest; NaN never wins. */
export function argmax(values: Float32Array): number {
  let best = 0;
  for (let i = 1; i < values.length; i++) {
    if (values[i] > values[best] || (Number.isNaN(values[best]) && !Number.isNaN(values[i]))) best = i;
  }
  return best;
}

export const sampleToken: SampleToken = (logits, { temperature, topK, topP, draw }) => {
  const likeliest = argmax(logits);
  if (topK === 1 || temperature === 0) return likeliest;

  const probabilities = Float64Array.from(logits, logit =>
    Math.exp((logit - logits[likeliest]) / temperature),
  );
  const order = Array.from(probabilities.keys()).filter(id => probabilities[id] > 0);
  order.sort((a, b) => probabilities[b] - probabilities[a] || a - b);
  if (topK > 0) order.length = Math.min(order.length, topK);

  const total = order.reduce((sum, id) => sum + probabilities[id], 0);
  let kept = 0;
  let mass = 0;
  while (kept < order.length && (kept === 0 || mass < topP * total)) mass += probabilities[order[kept++]];

  let remaining = draw * mass;
  for (const id of order.slice(0, kept)) {
    remaining -= probabilities[id];
    if (remaining < 0) return id;
  }
  return order[kept - 1] ?? likeliest;
};
