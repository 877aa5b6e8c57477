/** Figure 10's grid: which expert- and context-parallel sizes fit, and how fast they are. */
import { readModel } from '../models/read-model.ts';
import { FIGURE_10, layerTimes } from './costs.ts';
import { accountOf } from './memory.ts';
import { simulateStep } from './run.ts';
import type { TrainingScenario } from './schema.ts';
import { peakBytesOf } from './tables.ts';

export interface GridPoint {
  readonly ep: number;
  readonly cp: number;
  readonly mfu: readonly [fc1: number, fc2: number];
  readonly totalGb: number;
  readonly fits: boolean;
  /** Of a step of text alone, devices and global batch the same everywhere. */
  readonly stepMs: number;
  /** Of one token in one layer, forward and backward, microseconds of a device; what of it is the ring's. */
  readonly tokenUs: number;
  readonly ringUs: number;
  /** Of one token's exchange of experts in one layer and one direction, hidden or not. */
  readonly exchangeUs: number;
}

/** The same devices and the same global batch, divided otherwise; a bundle of groups that go in step is simulated. */
export function parallelGrid(scenario: TrainingScenario, seed: string | number): GridPoint[] {
  const model = readModel(scenario.model);
  const { layout, batch } = scenario;
  const ranks = layout.expertReplicas * layout.ep;
  return Object.entries(FIGURE_10).map(([name, mfu]) => {
    const [, cp, , ep] = name.split(' ').map(Number);
    const given: TrainingScenario = {
      ...scenario,
      encoders: 'decoupled',
      layout: { ...layout, cp, ep, expertReplicas: ranks / ep },
      batch: { ...batch, microBatches: Math.max(1, Math.round((batch.microBatches * cp) / layout.cp)) },
    };
    const { totalGb } = accountOf(model, given, peakBytesOf(given));
    const { ms } = simulateStep({ ...given, encoders: 'none' }, seed, 1);
    const { forward, backward, weights, exchange, ringShown } = layerTimes(model, given);
    const [tokenUs, ringUs, exchangeUs] = [forward + backward + weights, ringShown, exchange].map(
      s => s * 1e6,
    );
    return {
      ep,
      cp,
      mfu,
      totalGb,
      fits: totalGb <= scenario.machine.memoryGb,
      stepMs: ms,
      tokenUs,
      ringUs,
      exchangeUs,
    };
  });
}

/** The fastest that fits; null where none does. */
export function bestOf(points: readonly GridPoint[]): GridPoint | null {
  const fitting = points.filter(({ fits }) => fits);
  return fitting.reduce<GridPoint | null>(
    (best, each) => (!best || each.stepMs < best.stepMs ? each : best),
    null,
  );
}
