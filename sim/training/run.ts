/** Steps simulated, and what is made of them: throughput against text alone, bubbles, memory. */
import { createRandom } from '../../actors/core/index.ts';
import type { ModelSpec } from '../models/model-schema.ts';
import { readModel } from '../models/read-model.ts';
import { type Estimate, meanEstimate } from '../statistics/estimates.ts';
import { type Costs, costsOf } from './costs.ts';
import { drawStep } from './draw.ts';
import { execute } from './machine.ts';
import { accountOf, type MemoryAccount } from './memory.ts';
import type { Execution, OperationSpan } from './program.ts';
import type { TrainingScenario } from './schema.ts';
import { bundles, groupsInStep, planStep, rowsOf } from './step-programs.ts';

export interface SimulatedStep {
  readonly ms: number;
  /** Of the pipeline stages' time what they did not work, without the phases around the pipeline. */
  readonly bubble: number;
  readonly peakBytes: number;
  readonly devices: number;
  readonly spans: readonly OperationSpan[];
  readonly names: readonly string[];
  /** Mean milliseconds of a stage by label. */
  readonly byLabel: Readonly<Record<string, number>>;
}

export interface TrainingResult {
  readonly scenario: TrainingScenario;
  readonly devices: number;
  readonly stepMs: Estimate;
  readonly textOnlyMs: Estimate;
  /** Steps a second and device, to those of the same language model on text alone, step by step. */
  readonly throughput: Estimate;
  readonly bubble: Estimate;
  readonly textOnlyBubble: Estimate;
  readonly memory: MemoryAccount;
  /** On the CP ranks of pp0: the halves that are kept, and on inner rank 0 the chunk that passes. */
  readonly bridgeGb: { readonly stored: number; readonly passing: number };
  readonly example: SimulatedStep;
}

/**
 * One step of `count` bundles, of which the first is drawn. The micro-batches' language work does not depend on where
 * the encoders run.
 */
export function simulateStep(
  scenario: TrainingScenario,
  seed: string | number,
  count = bundles(scenario),
): SimulatedStep {
  const model = readModel(scenario.model);
  const costs = costsOf(model, scenario);
  const dealt = drawStep(createRandom(seed), scenario, groupsInStep(scenario) * count);
  const { programs, names } = planStep(model, scenario, costs, dealt);
  const rows = rowsOf(scenario);
  const done = execute(programs, { drawn: rank => rank < rows });
  const stages = done.ranks.filter((_, rank) => names[rank].startsWith('pp'));
  return {
    ms: done.ms,
    bubble: bubbleOf(done, stages),
    peakBytes: Math.max(...stages.map(({ peakBytes }) => peakBytes)),
    devices: devicesOf(scenario),
    spans: done.spans,
    names: names.slice(0, rows),
    byLabel: meanByLabel(stages),
  };
}

const PIPELINE = ['forward', 'backward', 'weights'];

function bubbleOf(done: Execution, stages: Execution['ranks']): number {
  const around = Object.entries(meanByLabel(stages)).filter(([label]) => !PIPELINE.includes(label));
  const inside = done.ms - around.reduce((sum, [, ms]) => sum + ms, 0);
  const worked = stages.map(({ byLabel }) => PIPELINE.reduce((sum, label) => sum + (byLabel[label] ?? 0), 0));
  return 1 - worked.reduce((sum, ms) => sum + ms, 0) / stages.length / inside;
}

function meanByLabel(stages: Execution['ranks']): Record<string, number> {
  const total: Record<string, number> = {};
  for (const { byLabel } of stages)
    for (const [label, ms] of Object.entries(byLabel))
      total[label] = (total[label] ?? 0) + ms / stages.length;
  return total;
}

function devicesOf({ layout, encoders, encoderRanks }: TrainingScenario): number {
  const { cp, ep, expertReplicas, pp } = layout;
  const own = encoders === 'own-ranks' ? (encoderRanks * ep * expertReplicas) / cp : 0;
  return pp * ep * expertReplicas + own;
}

/** All replications of a scenario, each beside text alone with the same seed. */
export function runTraining(
  scenario: TrainingScenario,
  seed: string | number,
  onProgress?: (share: number) => void,
): TrainingResult {
  const model: ModelSpec = readModel(scenario.model);
  const costs: Costs = costsOf(model, scenario);
  const steps: SimulatedStep[] = [];
  const alone: SimulatedStep[] = [];
  for (let i = 0; i < scenario.replications; i++) {
    steps.push(simulateStep(scenario, `${seed}/${i}`));
    alone.push(simulateStep({ ...scenario, encoders: 'none' }, `${seed}/${i}`));
    onProgress?.((i + 1) / scenario.replications);
  }
  const ratio = (i: number) => (alone[i].ms * alone[i].devices) / (steps[i].ms * steps[i].devices);
  const tokens = scenario.batch.microBatches * 89.85 * costs.visionTokensPerTflop;
  const bridge = (tokens * costs.bridgeBytesPerToken) / 1e9;
  return {
    scenario,
    devices: steps[0].devices,
    stepMs: meanEstimate(steps.map(({ ms }) => ms)),
    textOnlyMs: meanEstimate(alone.map(({ ms }) => ms)),
    throughput: meanEstimate(steps.map((_, i) => ratio(i))),
    bubble: meanEstimate(steps.map(({ bubble }) => bubble)),
    textOnlyBubble: meanEstimate(alone.map(({ bubble }) => bubble)),
    memory: accountOf(model, scenario, Math.max(...steps.map(({ peakBytes }) => peakBytes))),
    bridgeGb: { stored: bridge / scenario.layout.cp, passing: bridge / scenario.bridgeChunks },
    example: steps[0],
  };
}
