/**
 * What a listener would say of a line: the reduced E-model of docs/spec/latency-data.md §5.1, G.711 with concealment.
 */
const LOSS_ROBUSTNESS = 25.1;

/**
 * @param delayMs one way
 * @param loss share of the sound that is missing, 0–1
 * @param burstRatio 1 = losses at random
 * @returns mean opinion score, 1–4.5
 */
export function meanOpinionScore(delayMs: number, loss: number, burstRatio: number): number {
  const percent = loss * 100;
  const late = Math.max(0, delayMs - 177.3);
  const delayImpairment = 0.024 * delayMs + 0.11 * late;
  const lossImpairment = percent === 0 ? 0 : (95 * percent) / (percent / burstRatio + LOSS_ROBUSTNESS);
  const rating = Math.min(100, Math.max(0, 93.2 - delayImpairment - lossImpairment));
  return Math.max(1, 1 + 0.035 * rating + 7e-6 * rating * (rating - 60) * (100 - rating));
}
