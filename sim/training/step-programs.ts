/**
 * A step of the report's machines as programs. One rank stands for the CP ranks of a pipeline stage, which go in step;
 * and since experts are exchanged in every layer, the data-parallel groups whose ranks make up one expert-parallel
 * group go in step too: a turn takes as long as the longest of theirs. So a row of stages here is one such bundle of
 * groups.
 */
import type { ModelSpec } from '../models/model-schema.ts';
import type { Costs } from './costs.ts';
import { balanced, type MicroBatch } from './draw.ts';
import { chunkBytes } from './memory.ts';
import type { Operation, Program } from './program.ts';
import { CHUNKS, turnsOf } from './schedules.ts';
import type { TrainingScenario } from './schema.ts';

/** Data-parallel groups whose micro-batches of the same turn go in step. */
export const groupsInStep = ({ layout }: TrainingScenario): number => Math.max(1, layout.ep / layout.cp);
export const bundles = ({ layout }: TrainingScenario): number => layout.expertReplicas;

interface Bundle {
  readonly index: number;
  /** Of each group, the encoders' work of each inner rank. */
  readonly loads: readonly (readonly number[])[];
  /** By turn, of the groups that go in step. */
  readonly turns: readonly (readonly MicroBatch[])[];
  readonly groups: readonly (readonly MicroBatch[])[];
}

export interface StepPlan {
  readonly programs: readonly Program[];
  readonly names: readonly string[];
}

/** Stages of a bundle, and with own-ranks one more row for its encoder ranks. */
export function planStep(
  model: ModelSpec,
  scenario: TrainingScenario,
  costs: Costs,
  dealt: readonly MicroBatch[][],
): StepPlan {
  const inStep = groupsInStep(scenario);
  const count = dealt.length / inStep;
  const total = count * rowsOf(scenario);
  const { cp, pp } = scenario.layout;
  const programs: Program[] = [];
  const names: string[] = [];
  for (let index = 0; index < count; index++) {
    const groups = dealt.slice(index * inStep, (index + 1) * inStep);
    const turns = groups[0].map((_, turn) => groups.map(group => group[turn]));
    const loads = groups.map(group =>
      balanced(
        group.flatMap(({ items }) => items),
        cp * pp,
      ),
    );
    const bundle: Bundle = { index, turns, groups, loads };
    for (let stage = 0; stage < scenario.layout.pp; stage++) {
      programs.push(stageProgram(model, scenario, costs, bundle, stage, total));
      names.push(`pp${stage}`);
    }
    if (scenario.encoders === 'own-ranks')
      for (let each = 0; each < scenario.encoderRanks; each++) {
        programs.push(encoderProgram(scenario, costs, bundle, each, total));
        names.push(`encoder ${each}`);
      }
  }
  return { programs, names };
}

export const rowsOf = ({ encoders, encoderRanks, layout }: TrainingScenario): number =>
  layout.pp + (encoders === 'own-ranks' ? encoderRanks : 0);

function stageProgram(
  model: ModelSpec,
  scenario: TrainingScenario,
  costs: Costs,
  bundle: Bundle,
  stage: number,
  total: number,
): Program {
  const { layout, schedule, encoders } = scenario;
  const { pp } = layout;
  const base = bundle.index * rowsOf(scenario);
  const chunks = CHUNKS[schedule];
  const positions = pp * chunks;
  const layers = model.layers / positions;
  const bytes = chunkBytes(model, scenario);
  const out: Operation[] =
    encoders === 'decoupled' ? encodingPhase(scenario, costs, bundle, stage, 'forward') : [];
  for (const { phase, microBatch, chunk } of turnsOf(schedule, stage, pp, bundle.turns.length)) {
    const work = Math.max(...bundle.turns[microBatch].map(({ language }) => language));
    // Table 2 counts forward and backward; a third of it is the forward.
    const tflop = (work / 3 / model.layers / layout.cp) * layers;
    const place = chunk === 0 ? stage : 2 * pp - 1 - stage;
    const stageOf = (position: number) => (position < pp ? position : 2 * pp - 1 - position);
    const encoded = encoders !== 'none' && encoders !== 'decoupled' && place === 0;
    const tag = (kind: string, position: number) => `${kind} ${microBatch} ${position}`;
    if (phase === 'F') {
      if (place > 0 && stageOf(place - 1) !== stage)
        out.push(receive(base + stageOf(place - 1), tag('F', place)));
      if (encoded) out.push(...encodedBefore(scenario, costs, bundle, microBatch, base));
      out.push({
        kind: 'work',
        label: 'forward',
        ms: tflop * costs.forwardMsPerTflop,
        microBatch,
        takes: bytes,
      });
      const next = place + 1;
      if (next < positions && stageOf(next) !== stage)
        out.push(send(base + stageOf(next), tag('F', next), costs.hopMs));
      continue;
    }
    if (phase === 'W') {
      out.push({
        kind: 'work',
        label: 'weights',
        ms: tflop * costs.weightsMsPerTflop,
        microBatch,
        frees: bytes,
      });
      continue;
    }
    const after = place + 1;
    if (after < positions && stageOf(after) !== stage)
      out.push(receive(base + stageOf(after), tag('B', place)));
    // Without a split the gradients of weights are made at once.
    const both = chunks === 1;
    const ms = tflop * (costs.backwardMsPerTflop + (both ? costs.weightsMsPerTflop : 0));
    out.push({ kind: 'work', label: 'backward', ms, microBatch, ...(both && { frees: bytes }) });
    if (place > 0 && stageOf(place - 1) !== stage)
      out.push(send(base + stageOf(place - 1), tag('B', place - 1), costs.hopMs));
    if (encoded) out.push(...encodedAfter(scenario, costs, bundle, microBatch, base));
  }
  if (encoders === 'decoupled') out.push(...encodingPhase(scenario, costs, bundle, stage, 'backward'));
  out.push({ kind: 'meet', id: 'update', members: total, label: 'update', ms: costs.updateMs });
  return out;
}

const receive = (from: number, tag: string): Operation => ({ kind: 'receive', from, tag });
const send = (to: number, tag: string, ms: number): Operation => ({ kind: 'send', to, tag, ms });

/** Table 2's work of encoders: a third forward, and again in the backward where nothing was kept. */
const FORWARD = 1 / 3;
const BACKWARD = 2 / 3;

/** Modality-decoupled: everybody encodes its share of all items, then the bridge; and back. */
function encodingPhase(
  scenario: TrainingScenario,
  costs: Costs,
  { index, groups, loads }: Bundle,
  stage: number,
  way: 'forward' | 'backward',
): Operation[] {
  const { cp, pp } = scenario.layout;
  const share = way === 'forward' ? FORWARD : FORWARD + BACKWARD;
  // Of this stage's CP ranks in all groups that go in step, whoever has most.
  const most = Math.max(...loads.flatMap(load => load.slice(stage * cp, (stage + 1) * cp)));
  const tokens = Math.max(
    ...groups.map(
      group => group.reduce((sum, { visionTflop }) => sum + visionTflop, 0) * costs.visionTokensPerTflop,
    ),
  );
  const work: Operation = {
    kind: 'work',
    label: way === 'forward' ? 'encode' : 'encode back',
    ms: most * share * costs.encoderMsPerTflop,
  };
  const gather: Operation = {
    kind: 'meet',
    id: `hsdp ${way} ${index}`,
    members: pp,
    label: 'encoder weights',
    ms: costs.hsdpMs,
  };
  const scatter: Operation[] =
    way === 'forward'
      ? []
      : [{ ...gather, id: `hsdp gradients ${index}`, label: 'encoder gradients' } as Operation];
  const bridge: Operation = {
    kind: 'meet',
    id: `bridge ${way} ${index}`,
    members: pp,
    label: 'bridge',
    ms: tokens * costs.bridgeMsPerToken,
  };
  return way === 'forward' ? [gather, work, bridge] : [bridge, gather, work, ...scatter];
}

const itemsOf = (bundle: Bundle, microBatch: number): number =>
  Math.max(...bundle.turns[microBatch].map(({ items }) => items.reduce((sum, item) => sum + item, 0)));

/** Encoders in stage 0: its CP ranks share each micro-batch's items. On ranks of their own: they are waited for. */
function encodedBefore(
  scenario: TrainingScenario,
  costs: Costs,
  bundle: Bundle,
  microBatch: number,
  base: number,
): Operation[] {
  const { encoders, encoderRanks, layout } = scenario;
  if (encoders === 'own-ranks')
    return [receive(base + layout.pp + (microBatch % encoderRanks), `E ${microBatch}`)];
  const ms = (itemsOf(bundle, microBatch) / layout.cp) * FORWARD * costs.encoderMsPerTflop;
  return [{ kind: 'work', label: 'encode', ms, microBatch }];
}

function encodedAfter(
  scenario: TrainingScenario,
  costs: Costs,
  bundle: Bundle,
  microBatch: number,
  base: number,
): Operation[] {
  const { encoders, encoderRanks, layout } = scenario;
  if (encoders === 'own-ranks')
    return [send(base + layout.pp + (microBatch % encoderRanks), `G ${microBatch}`, costs.hopMs)];
  const ms = (itemsOf(bundle, microBatch) / layout.cp) * (FORWARD + BACKWARD) * costs.encoderMsPerTflop;
  return [{ kind: 'work', label: 'encode back', ms, microBatch }];
}

/**
 * An encoder rank: its micro-batches' items in advance, as many as the pipeline is deep; then one backward, one
 * forward.
 */
function encoderProgram(
  scenario: TrainingScenario,
  costs: Costs,
  bundle: Bundle,
  each: number,
  total: number,
): Program {
  const { encoderRanks, layout } = scenario;
  const stage0 = bundle.index * rowsOf(scenario);
  const mine = bundle.turns
    .map((_, microBatch) => microBatch)
    .filter(microBatch => microBatch % encoderRanks === each);
  const ahead = Math.ceil((2 * layout.pp) / encoderRanks);
  const ms = (microBatch: number, share: number) =>
    itemsOf(bundle, microBatch) * share * costs.encoderMsPerTflop;
  const forward = (microBatch: number): Operation[] => [
    { kind: 'work', label: 'encode', ms: ms(microBatch, FORWARD), microBatch },
    send(stage0, `E ${microBatch}`, costs.hopMs),
  ];
  const backward = (microBatch: number): Operation[] => [
    receive(stage0, `G ${microBatch}`),
    { kind: 'work', label: 'encode back', ms: ms(microBatch, FORWARD + BACKWARD), microBatch },
  ];
  const out = mine.slice(0, ahead).flatMap(forward);
  mine.forEach((microBatch, i) => {
    out.push(...backward(microBatch));
    if (i + ahead < mine.length) out.push(...forward(mine[i + ahead]));
  });
  out.push({ kind: 'meet', id: 'update', members: total, label: 'update', ms: costs.updateMs });
  return out;
}
