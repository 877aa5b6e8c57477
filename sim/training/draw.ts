/**
 * The micro-batches of a step, as the ranks get them: sorted, dealt out, their items balanced
 * (docs/spec/model.md §7.4).
 */
import type { Random } from '../../actors/core/index.ts';
import { drawBeta, drawLength, FIGURE_7, TABLE_2 } from './laws.ts';
import type { TrainingScenario } from './schema.ts';

export interface MicroBatch {
  /** TFLOP, forward and backward, as in Table 2. */
  readonly language: number;
  /** TFLOP of each item, both encoders together. */
  readonly items: readonly number[];
  readonly visionTflop: number;
}

const ITEMS_LEAST = 1;

function drawMicroBatch(random: Random, { batch, encoders }: TrainingScenario): MicroBatch {
  const language = drawBeta(random, TABLE_2.language);
  if (encoders === 'none') return { language, items: [], visionTflop: 0 };
  const vision = drawBeta(random, TABLE_2.vision);
  const audio = drawBeta(random, TABLE_2.audio);
  const split = (total: number, mean: number, most: number) => {
    const count = Math.max(ITEMS_LEAST, Math.round(mean));
    // Work goes with length; lengths are long-tailed.
    const lengths = Array.from({ length: count }, () =>
      drawLength(random, most / 50, batch.lengthSigma, most),
    );
    const whole = lengths.reduce((sum, each) => sum + each, 0);
    return lengths.map(length => (total * length) / whole);
  };
  return {
    language,
    items: [
      ...split(vision, batch.imagesPerMicroBatch, FIGURE_7.visionTokens),
      ...split(audio, batch.audioItems, FIGURE_7.audioTokens),
    ],
    visionTflop: vision,
  };
}

/** One step: for each data-parallel group its micro-batches, in order. */
export function drawStep(random: Random, scenario: TrainingScenario, groups: number): MicroBatch[][] {
  const { microBatches, sorted } = scenario.batch;
  const all = Array.from({ length: groups * microBatches }, (_, i) =>
    drawMicroBatch(random.split(`${i}`), scenario),
  );
  if (sorted) all.sort((a, b) => a.language - b.language);
  const dealt = Array.from({ length: groups }, () => [] as MicroBatch[]);
  all.forEach((each, i) => {
    const [turn, place] = [Math.floor(i / groups), i % groups];
    dealt[turn % 2 === 0 ? place : groups - 1 - place].push(each);
  });
  return dealt;
}

/** BalanceData: longest first, to whoever has least. -> work of each rank. */
export function balanced(items: readonly number[], ranks: number): number[] {
  const load = new Array<number>(ranks).fill(0);
  for (const item of [...items].sort((a, b) => b - a)) {
    let least = 0;
    for (let rank = 1; rank < ranks; rank++) if (load[rank] < load[least]) least = rank;
    load[least] += item;
  }
  return load;
}
