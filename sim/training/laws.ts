/** What micro-batches are drawn from: Table 2's work and Figure 7's lengths (docs/spec/model.md §7.6). */
import { normal, type Random } from '../../actors/core/index.ts';

/** A bounded law given by what a table prints. */
export interface Moments {
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  readonly std: number;
}

/** TFLOP a micro-batch, SFT. */
export const TABLE_2 = {
  audio: { min: 0.01, max: 109.96, mean: 3.29, std: 7.94 },
  vision: { min: 0.08, max: 400.37, mean: 89.85, std: 61.02 },
  language: { min: 1920.57, max: 4667.74, mean: 3531.32, std: 1111.11 },
} as const satisfies Readonly<Record<string, Moments>>;

/** Greatest lengths of SFT samples, tokens. */
export const FIGURE_7 = { audioTokens: 33_000, visionTokens: 158_000 } as const;

/** The beta law between the bounds that has this mean and deviation: the one whose four numbers are the table's. */
function betaShape({ min, max, mean, std }: Moments): readonly [a: number, b: number] {
  const centre = (mean - min) / (max - min);
  const variance = (std / (max - min)) ** 2;
  const weight = (centre * (1 - centre)) / variance - 1;
  return [centre * weight, (1 - centre) * weight];
}

export function drawBeta(random: Random, moments: Moments): number {
  const [a, b] = betaShape(moments);
  const x = drawLogGamma(random, a);
  const y = drawLogGamma(random, b);
  return moments.min + (moments.max - moments.min) / (1 + Math.exp(y - x));
}

/** Logarithm of a gamma variate (Marsaglia and Tsang, 2000); shapes below 1 by way of shape + 1. */
function drawLogGamma(random: Random, shape: number): number {
  if (shape < 1) return drawLogGamma(random, shape + 1) + Math.log(1 - random.next()) / shape;
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const x = normal(random, 0, 1);
    const v = (1 + c * x) ** 3;
    if (v > 0 && Math.log(1 - random.next()) < 0.5 * x * x + d - d * v + d * Math.log(v))
      return Math.log(d) + Math.log(v);
  }
}

/** A lognormal length that is at most `most`: long-tailed, as Figure 7 is drawn; drawn again where it is beyond. */
export function drawLength(random: Random, median: number, sigma: number, most: number): number {
  for (;;) {
    const length = median * Math.exp(normal(random, 0, sigma));
    if (length <= most) return Math.max(1, Math.round(length));
  }
}
