/** From what a scenario says of its engine to a cost law, devices and a price. */
import type { Clock, Random } from '../../actors/core/index.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import type { EngineScenario } from '../scenarios/engine-schema.ts';
import { type CostLaw, linearLaw } from './cost-law.ts';
import { H800_DOLLARS_PER_HOUR, H800_TO_H20_PRICE } from './hardware.ts';
import { fitStepLine, LONGCAT_ROWS, predictStepMs } from './measured.ts';
import { type DevicePlan, type ModelledEngine, modelledEngine, type StageName } from './modelled-engine.ts';
import type { ReplyLaw } from './reply-script.ts';
import { rooflineLaw } from './roofline.ts';

export interface PricedEngine {
  readonly engine: ModelledEngine;
  readonly dollarsPerHour: number;
}

export function buildEngine(
  scenario: EngineScenario,
  replies: ReplyLaw,
  clock: Clock,
  random: Random,
): PricedEngine {
  const { devices, placement } = planOf(scenario);
  const { maxPositions, prefill, tokensPerPicture } = scenario;
  const law = costLawOf(scenario);
  const shared = { clock, random, maxPositions, prefill, replies, tokensPerPicture };
  const engine = modelledEngine({ ...shared, law, devices, placement });
  return { engine, dollarsPerHour: dollarsPerHour(scenario) };
}

export function costLawOf(scenario: EngineScenario): CostLaw {
  return scenario.law === 'linear' ? linearLaw(scenario) : clusterLaw(scenario);
}

type ClusterScenario = Extract<EngineScenario, { law: 'cluster' }>;

function clusterLaw(scenario: ClusterScenario): CostLaw {
  const { accelerator, decodeDevices: devices, prefillDevices, stepOverheadMs } = scenario;
  const roofline = rooflineLaw({ accelerator, devices, prefillDevices, stepOverheadMs });
  if (scenario.decode === 'roofline') return roofline;
  if (accelerator !== 'H800') {
    const remedy = 'Use decode: roofline for other accelerators.';
    throw new RuntimeError(
      'scenario.invalid',
      'Decoding was measured on H800 only.',
      { accelerator },
      remedy,
    );
  }
  const line = fitStepLine(LONGCAT_ROWS.filter(({ attention }) => attention === 'BF16'));
  return {
    ...roofline,
    languageModel: load => {
      const perDevice = Math.ceil(load.decodes / devices);
      const context = load.decodes > 0 ? load.decodeContext / load.decodes : 0;
      const decodeMs = load.decodes > 0 ? predictStepMs(line, perDevice, context) : 0;
      return { ...roofline.languageModel(load), decodeMs };
    },
  };
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

/** docs/spec/latency-data.md §1.1; H100 and H200 hours are priced as an H800's (D). */
function dollarsPerHour(scenario: EngineScenario): number {
  if (scenario.law === 'linear') return scenario.dollarsPerHour;
  const { accelerator, decodeDevices, prefillDevices, sideDevices } = scenario;
  const each = accelerator === 'H20' ? H800_DOLLARS_PER_HOUR / H800_TO_H20_PRICE : H800_DOLLARS_PER_HOUR;
  return each * (decodeDevices + prefillDevices + sideDevices);
}
