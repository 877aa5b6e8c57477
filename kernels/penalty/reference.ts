import { PENALTY_WINDOW, type Penalise } from './index.ts';

export const penalise: Penalise = (logits, history, factor) => {
  if (factor === 1) return;
  const counts = new Map<number, number>();
  for (const id of history.subarray(-PENALTY_WINDOW)) {
    if (id >= 0 && id < logits.length) counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  for (const [id, count] of counts) {
    const alpha = factor ** count;
    logits[id] = logits[id] < 0 ? logits[id] * alpha : logits[id] / alpha;
  }
};
