/** How long things take on the report's machines (docs/spec/model.md §7.6, docs/spec/latency-data.md §1). */
import { RuntimeError } from '../../kernels/errors.ts';
import { meanRealExperts } from '../engines/model-arithmetic.ts';
import type { ModelSpec } from '../models/model-schema.ts';
import type { TrainingScenario } from './schema.ts';
import {
  BF16,
  encoderFlopsPerVisionToken,
  FP32,
  layerFlops,
  savedBytes,
  savedNumbers,
  stageParameters,
} from './sizes.ts';

/** Figure 10: MFU of the experts' two products, by CP and EP. */
export const FIGURE_10: Readonly<Record<string, readonly [fc1: number, fc2: number]>> = {
  'CP 1 EP 8': [0.731, 0.711],
  'CP 1 EP 16': [0.769, 0.747],
  'CP 1 EP 32': [0.771, 0.762],
  'CP 1 EP 64': [0.773, 0.748],
  'CP 2 EP 8': [0.667, 0.62],
  // biome-ignore lint/suspicious/noApproximativeNumericConstant: an efficiency read off a plot, not √½
  'CP 2 EP 16': [0.707, 0.692],
  'CP 2 EP 32': [0.775, 0.743],
  'CP 2 EP 64': [0.79, 0.753],
  'CP 4 EP 8': [0.523, 0.533],
  'CP 4 EP 16': [0.64, 0.636],
  'CP 4 EP 32': [0.702, 0.678],
  'CP 4 EP 64': [0.758, 0.722],
};

/**
 * docs/spec/latency-data.md §1.3: high-throughput exchange over RDMA, GB/s of dispatch and combine. Within a node
 * NVLink: 153 and 158.
 */
const EXCHANGE_GB_PER_S: Readonly<Record<number, readonly [number, number]>> = {
  8: [153, 158],
  16: [43, 43],
  32: [58, 57],
  64: [51, 50],
};
const DEVICES_PER_NODE = 8;
const TERA = 1e12;

export interface Costs {
  /**
   * Forward of one layer, per TFLOP of the whole micro-batch's forward in that layer and on one of its CP ranks; ms.
   */
  readonly forwardMsPerTflop: number;
  /** The gradients of inputs, and of weights. */
  readonly backwardMsPerTflop: number;
  readonly weightsMsPerTflop: number;
  readonly encoderMsPerTflop: number;
  /** One micro-batch's activations to the next stage. */
  readonly hopMs: number;
  /** Gradients' reduce-scatter and weights' all-gather at the end of a step. */
  readonly updateMs: number;
  /** The encoders' weights gathered, or their gradients scattered, once. */
  readonly hsdpMs: number;
  /** An embedding over the bridge in one direction: to inner rank 0, and on to the CP ranks. */
  readonly bridgeMsPerToken: number;
  readonly bridgeBytesPerToken: number;
  readonly visionTokensPerTflop: number;
}

/** @throws RuntimeError `sim.training-grid` where Figure 10 has no such point */
export function costsOf(model: ModelSpec, scenario: TrainingScenario): Costs {
  const { layout, machine } = scenario;
  const perToken = layerTimes(model, scenario);
  const flops = sum(layerFlops(model, scenario.batch.context));
  const perTflop = (seconds: number) => ((seconds * 1000) / flops) * TERA;
  const link = machine.linkGbPerS * 1e9;
  const { experts, dense } = stageParameters(model, layout.pp, layout.ep);
  const replicas = layout.expertReplicas;
  const moved = (FP32 + BF16) * (experts * (1 - 1 / replicas) + dense * (1 - 1 / (replicas * layout.ep)));
  const embedding = model.hidden * BF16;
  return {
    forwardMsPerTflop: perTflop(perToken.forward),
    backwardMsPerTflop: perTflop(perToken.backward),
    weightsMsPerTflop: perTflop(perToken.weights),
    encoderMsPerTflop: 1000 / (machine.peakTflops * machine.encoderMfu),
    hopMs: (((scenario.batch.context / layout.cp) * embedding) / link) * 1000,
    updateMs: (moved / link) * 1000,
    hsdpMs: ((1.3e9 * BF16) / link) * 1000,
    bridgeMsPerToken: ((embedding * (1 + (layout.cp - 1) / layout.cp)) / link) * 1000,
    bridgeBytesPerToken: embedding,
    visionTokensPerTflop: TERA / (3 * encoderFlopsPerVisionToken()),
  };
}

/** Seconds of one token in one layer on one device. */
export function layerTimes(model: ModelSpec, scenario: TrainingScenario) {
  const { layout, machine, optimisations } = scenario;
  const mfu = FIGURE_10[`CP ${layout.cp} EP ${layout.ep}`];
  if (!mfu) {
    const values = { cp: layout.cp, ep: layout.ep };
    const remedy = 'Use CP 1, 2 or 4 with EP 8, 16, 32 or 64.';
    throw new RuntimeError(
      'sim.training-grid',
      'Figure 10 has no efficiency for this layout.',
      values,
      remedy,
    );
  }
  const peak = machine.peakTflops * TERA;
  const flops = layerFlops(model, scenario.batch.context);
  // FC1 is gate and up, two thirds of the experts' work.
  const experts = (flops.experts / peak) * (2 / 3 / mfu[0] + 1 / 3 / mfu[1]);
  const dense = (flops.dense + flops.projections) / peak / machine.gemmMfu;
  const attention = flops.attention / peak / machine.attentionMfu;
  const saved = savedNumbers(model)!;
  const memory = machine.hbmGbPerS * 1e9 * machine.hbmEfficiency;
  // Every number that is kept was written and is read once by what follows it.
  const elementwise = (2 * savedBytes(saved)) / memory;
  const again = optimisations.selectiveRecompute
    ? (2 * (savedBytes(saved) - savedBytes(saved, ['norms', 'innerNorms', 'products']))) / memory
    : 0;
  const exchange = exchangeSeconds(model, scenario);
  // Keys and values go round the context-parallel ring beside the attention, and show where they take longer; back with
  // their gradients.
  const ring = ringSeconds(model, scenario);
  const attentionBack = (2 * attention) / machine.attentionBackward;
  const [ringShown, ringShownBack] = [Math.max(0, ring - attention), Math.max(0, 2 * ring - attentionBack)];
  // The exchange runs beside the dense path (ScMoE): it takes some of the device, and shows where it is longer.
  const hidden = (path: number) => exchange * machine.exchangeShare + Math.max(0, exchange - path);
  return {
    forward: experts + dense + attention + elementwise + hidden(dense + attention) + ringShown,
    backward:
      experts + dense + attentionBack + elementwise + again + hidden(dense + attentionBack) + ringShownBack,
    weights: experts + dense,
    exchange,
    ringShown: ringShown + ringShownBack,
  };
}

/** Dispatch and combine of one token's copies to other nodes (within a node: other devices), bf16. */
function exchangeSeconds(model: ModelSpec, { layout }: TrainingScenario): number {
  const [dispatch, combine] = EXCHANGE_GB_PER_S[layout.ep];
  const places = layout.ep <= DEVICES_PER_NODE ? layout.ep : layout.ep / DEVICES_PER_NODE;
  const chosen = meanRealExperts(model);
  const reached = places * (1 - (1 - 1 / places) ** chosen) * (1 - 1 / places);
  const bytes = reached * model.hidden * BF16;
  return bytes / (dispatch * 1e9) + bytes / (combine * 1e9);
}

/** One token's share of what its device sends round the ring in a layer: everybody's keys and values but its own. */
function ringSeconds({ attention }: ModelSpec, { layout, machine }: TrainingScenario): number {
  if (attention.kind !== 'latent') return 0;
  const bytes = attention.heads * (2 * attention.headDim + attention.ropeDim) * BF16;
  return (attention.perLayer * (layout.cp - 1) * bytes) / (machine.nvlinkGbPerS * 1e9);
}

function sum(parts: Readonly<Record<string, number>>): number {
  return Object.values(parts).reduce((total, part) => total + part, 0);
}
