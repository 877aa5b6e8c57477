/** Memory of one device by what it goes to (docs/spec/model.md §7.6, Tables 3 and 4), gigabytes of 1e9 bytes. */
import type { ModelSpec } from '../models/model-schema.ts';
import { CHUNKS } from './schedules.ts';
import type { TrainingScenario } from './schema.ts';
import {
  BF16,
  ENCODERS,
  FP32,
  RECOMPUTED,
  type Saved,
  savedBytes,
  savedNumbers,
  stageParameters,
} from './sizes.ts';

const GB = 1e9;
/** Adam: the float32 weight and two moments. */
const OPTIMISER = 3 * FP32;

/** Table 3, taken from the report: buffers of the communication libraries cannot be derived from what it says. */
export const TAKEN = { ncclGb: 12.93, deepEpGb: 0.45, ncclOptimisedGb: 8.9 - 0.45 } as const;

export interface MemoryAccount {
  readonly languageStaticGb: number;
  readonly encodersStaticGb: number;
  readonly dynamicGb: number;
  readonly othersGb: number;
  readonly totalGb: number;
}

/** Weights in bf16, gradients in float32, ZeRO-1 shards of the optimiser. The peak is not on pp0: no embeddings. */
export function languageStaticGb(model: ModelSpec, { layout }: TrainingScenario): number {
  const { pp, ep, expertReplicas } = layout;
  const { experts, dense } = stageParameters(model, pp, ep);
  const held = (experts + dense) * (BF16 + FP32);
  return (held + (experts / expertReplicas + dense / (expertReplicas * ep)) * OPTIMISER) / GB;
}

/**
 * Weights of both encoders, gradients and optimiser of the vision encoder alone: SFT freezes the audio encoder
 * (docs/spec/model.md §7.3). Whole on each device with ZeRO-1 over data parallelism, or all of it in shards. Projectors
 * are with pp0.
 */
export function encodersStaticGb({ layout, optimisations }: TrainingScenario): number {
  const { ep, cp, pp, expertReplicas, encoderShards } = layout;
  const held = (ENCODERS.vision + ENCODERS.audio) * BF16 + ENCODERS.vision * BF16;
  const optimiser = ENCODERS.vision * OPTIMISER;
  if (!optimisations.hsdp) return (held + optimiser / ((expertReplicas * ep) / cp)) / GB;
  return (held + optimiser) / (encoderShards || (cp * pp) / 2) / GB;
}

/** Activations of one micro-batch in one chunk of a stage's layers. */
export function chunkBytes(
  model: ModelSpec,
  { layout, batch, schedule, optimisations }: TrainingScenario,
): number {
  const tokens = batch.context / layout.cp;
  const layers = model.layers / layout.pp / CHUNKS[schedule];
  const without: (keyof Saved)[] = [
    ...(optimisations.selectiveRecompute ? RECOMPUTED : []),
    ...(optimisations.efficientPermute ? (['expertOut'] as const) : []),
  ];
  return tokens * layers * savedBytes(savedNumbers(model)!, without);
}

/** @param peakBytes the most that a simulated stage held of activations */
export function accountOf(model: ModelSpec, scenario: TrainingScenario, peakBytes: number): MemoryAccount {
  const languageStatic = languageStaticGb(model, scenario);
  const encodersStatic = scenario.encoders === 'none' ? 0 : encodersStaticGb(scenario);
  const nccl = scenario.optimisations.ncclMemory ? TAKEN.ncclOptimisedGb : TAKEN.ncclGb;
  const [dynamic, others] = [peakBytes / GB, nccl + TAKEN.deepEpGb];
  return {
    languageStaticGb: languageStatic,
    encodersStaticGb: encodersStatic,
    dynamicGb: dynamic,
    othersGb: others,
    totalGb: languageStatic + encodersStatic + dynamic + others,
  };
}
