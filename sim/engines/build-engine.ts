/** From what a scenario says of its engine to a cost law, devices, memory and a price. */
import type { Clock, Random } from '../../actors/core/index.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import type { ModelSpec } from '../models/model-schema.ts';
import { readModel } from '../models/read-model.ts';
import type { EngineScenario } from '../scenarios/engine-schema.ts';
import { type CostLaw, linearLaw } from './cost-law.ts';
import { decodeTable } from './decode-table.ts';
import type { DeviceStatistics, Window } from './device.ts';
import { BOARD_WATTS, DOLLARS_PER_HOUR, IDLE_POWER } from './hardware.ts';
import { fitStepLine, LONGCAT_ROWS, MEASURED_DEVICES, predictStepMs } from './measured.ts';
import { cachePositions, KvMemory } from './memory.ts';
import { tokensPerStep } from './model-arithmetic.ts';
import type { DevicePlan, StageName } from './engine-options.ts';
import { type ModelledEngine, modelledEngine } from './modelled-engine.ts';
import { Outages } from './outages.ts';
import type { ReplyLaw } from './reply-script.ts';
import { type Cluster, decodeStepMs, rooflineLaw } from './roofline.ts';

export interface PricedEngine {
  readonly engine: ModelledEngine;
  readonly dollarsPerHour: number;
  /** Null where no account is kept. */
  readonly memory: KvMemory | null;
}

export function buildEngine(
  scenario: EngineScenario,
  replies: Omit<ReplyLaw, 'codeFrameMs'>,
  clock: Clock,
  random: Random,
  judges: boolean,
  window?: Window,
): PricedEngine {
  const { devices, placement } = planOf(scenario);
  const { maxPositions, prefill, tokensPerPicture } = scenario;
  const law = costLawOf(scenario);
  const memory = memoryOf(scenario);
  const speech = speechOf(scenario);
  const outages = new Outages(
    scenario.outages.map(({ atS, forS }) => ({ fromMs: atS * 1000, untilMs: (atS + forS) * 1000 })),
  );
  const shared = { clock, random, maxPositions, prefill, tokensPerPicture, speech, judges, memory, outages };
  const script = { ...replies, codeFrameMs: speech.frameMs };
  const engine = modelledEngine({ ...shared, replies: script, law, devices, placement, window });
  return { engine, memory, dollarsPerHour: dollarsPerHour(scenario) };
}

export function costLawOf(scenario: EngineScenario): CostLaw {
  return scenario.law === 'linear' ? linearLaw(scenario) : clusterLaw(scenario);
}

type ClusterScenario = Extract<EngineScenario, { law: 'cluster' }>;

function modelOf({ draft, model }: ClusterScenario): ModelSpec {
  const spec = typeof model === 'string' ? readModel(model) : model;
  return draft ? { ...spec, draft } : spec;
}

function clusterOf(scenario: ClusterScenario): Cluster {
  const { accelerator, blockOverheadMs, decodeDevices, prefillDevices, stepOverheadMs } = scenario;
  const overheads = { blockOverheadMs, stepOverheadMs };
  return { ...overheads, model: modelOf(scenario), accelerator, devices: decodeDevices, prefillDevices };
}

/** Of a step that verifies drafted tokens, each token takes its share. */
function clusterLaw(scenario: ClusterScenario): CostLaw {
  const cluster = clusterOf(scenario);
  const roofline = rooflineLaw(cluster);
  const stepMs = decodeLaw(scenario, cluster);
  const tokens = tokensPerStep(cluster.model);
  const headMs = (context: number) =>
    cluster.model.speech.headSteps * ((stepMs?.(1, context) ?? decodeStepMs(cluster, 1, context)) / tokens);
  return {
    ...roofline,
    languageModel: load => {
      const context = load.decodes > 0 ? load.decodeContext / load.decodes : 0;
      const whole = roofline.languageModel(load);
      const decodeMs = stepMs && load.decodes > 0 ? stepMs(load.decodes, context) : whole.decodeMs;
      const heads = (load.begins ?? 0) > 0 ? headMs(load.prefillContext) : 0;
      return { ...whole, decodeMs: decodeMs / tokens, prefillMs: whole.prefillMs + heads };
    },
  };
}

/** Milliseconds of a step of so many sequences with this mean context; null: as the roofline has it. */
function decodeLaw(
  scenario: ClusterScenario,
  cluster: Cluster,
): ((sequences: number, context: number) => number) | null {
  const { accelerator, decode, decodeDevices, decodeTable: rows } = scenario;
  const isMeasured = accelerator === 'H800' && cluster.model.name === readModel('longcat-flash-omni').name;
  if (decode === 'table' || (decode === 'auto' && rows)) {
    if (rows) return decodeTable(rows);
    throw invalid('There is no table.', { setting: 'engine.decodeTable' }, 'Give its rows.');
  }
  if (decode === 'roofline' || (decode === 'auto' && !isMeasured)) return null;
  if (!isMeasured) {
    const values = { accelerator, model: cluster.model.name };
    throw invalid('Decoding was measured for LongCat-Flash on H800 only.', values, 'Use decode: roofline.');
  }
  const line = fitStepLine(LONGCAT_ROWS.filter(({ attention }) => attention === 'BF16'));
  const measured = { ...cluster, devices: MEASURED_DEVICES, blockOverheadMs: 0, stepOverheadMs: 0 };
  const here = { ...measured, devices: decodeDevices };
  return (sequences, context) => {
    const perDevice = Math.ceil(sequences / decodeDevices);
    // Fewer devices read more experts each and exchange faster: what the sheets say of it is added to the line.
    const there = decodeStepMs(measured, perDevice * MEASURED_DEVICES, context);
    return predictStepMs(line, perDevice, context) + decodeStepMs(here, sequences, context) - there;
  };
}

function invalid(message: string, values: Record<string, string>, remedy: string): RuntimeError {
  return new RuntimeError('scenario.invalid', message, values, remedy);
}

function memoryOf(scenario: EngineScenario): KvMemory | null {
  const { reservedPositions } = scenario;
  if (scenario.law === 'linear') {
    const { cachePositions: positions } = scenario;
    return positions > 0 ? new KvMemory(positions, reservedPositions) : null;
  }
  const { accelerator, decodeDevices } = scenario;
  return new KvMemory(cachePositions(modelOf(scenario), accelerator, decodeDevices), reservedPositions);
}

function speechOf(scenario: EngineScenario): { readonly frameMs: number; readonly lookAheadFrames: number } {
  return scenario.law === 'linear' ? scenario.speech : modelOf(scenario).speech;
}

export function planOf(scenario: EngineScenario): {
  devices: DevicePlan[];
  placement: Record<StageName, string>;
} {
  const everywhere = (name: string): Record<StageName, string> => ({
    languageModel: name,
    prefill: name,
    audioEncoder: name,
    visionEncoder: name,
    speechTokenizer: name,
    ganDecoder: name,
  });
  if (scenario.law === 'linear') {
    return { devices: [{ name: 'device', servers: scenario.servers }], placement: everywhere('device') };
  }
  const prefill = scenario.prefillDevices > 0 ? 'prefill' : 'language model';
  const devices = [
    { name: 'language model', servers: 1 },
    ...(scenario.prefillDevices > 0 ? [{ name: 'prefill', servers: 1 }] : []),
    { name: 'encoders and decoder', servers: scenario.sideDevices },
  ];
  return {
    devices,
    placement: { ...everywhere('encoders and decoder'), languageModel: 'language model', prefill },
  };
}

export function dollarsPerHour(scenario: EngineScenario): number {
  if (scenario.law === 'linear') return scenario.dollarsPerHour;
  const { accelerator, decodeDevices, prefillDevices, sideDevices } = scenario;
  return DOLLARS_PER_HOUR[accelerator] * (decodeDevices + prefillDevices + sideDevices);
}

/** Mean power over the time of these statistics, W; 0 where nothing is known of it. */
export function powerOf(scenario: EngineScenario, devices: readonly DeviceStatistics[]): number {
  const boards = (name: string): number => {
    if (scenario.law === 'linear') return 1;
    const { decodeDevices, prefillDevices, sideDevices } = scenario;
    if (name === 'language model') return decodeDevices;
    return name === 'prefill' ? prefillDevices : sideDevices;
  };
  const watts = scenario.law === 'linear' ? scenario.boardWatts : BOARD_WATTS[scenario.accelerator];
  return devices.reduce(
    (sum, { name, utilisation }) =>
      sum + watts * boards(name) * (IDLE_POWER + (1 - IDLE_POWER) * Math.min(1, utilisation)),
    0,
  );
}
