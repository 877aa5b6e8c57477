/**
 * A model on a cluster: each part of a step takes the longer of its arithmetic and its memory traffic, and experts are
 * exchanged all to all. Sequences are spread evenly over the devices, each of which holds the attention whole. What
 * hides the exchange is the model's own: nothing, the dense path beside it (single-batch overlap), or the other half of
 * the batch (two-batch).
 */
import type { ModelSpec } from '../models/model-schema.ts';
import type { CostLaw, LanguageModelLoad } from './cost-law.ts';
import {
  ACCELERATORS,
  type AcceleratorName,
  allToAllGbPerS,
  MLA_COMPUTE_EFFICIENCY,
  MLA_MEMORY_EFFICIENCY,
  RDMA_GB_PER_S,
} from './hardware.ts';
import {
  attentionBlocks,
  attentionFlops,
  attentionParameters,
  cacheBytesPerBlock,
  cacheBytesPerToken,
  denseLayers,
  denseParameters,
  expertLayers,
  expertParameters,
  flopsPerToken,
  meanRealExperts,
  prefillAttentionFlops,
} from './model-arithmetic.ts';

export interface Cluster {
  readonly model: ModelSpec;
  readonly accelerator: AcceleratorName;
  /** Devices that decode; the experts are spread over them. */
  readonly devices: number;
  /** Devices that only prefill; 0 = the decoding ones do. */
  readonly prefillDevices: number;
  /** What a step takes beside the arithmetic (sampling, scheduling); calibrate. */
  readonly stepOverheadMs: number;
  /** The same for each layer's block (kernel launches, dispatch). */
  readonly blockOverheadMs: number;
}

/** docs/spec/latency-data.md §3.3: share of the FP8 peak that prefill reaches in DeepSeek's production. */
const PREFILL_UTILISATION = 0.15;
/** docs/spec/latency-data.md §2.2: 2× spatial unshuffle and a temporal stride of 2: patches behind one token. */
const PATCHES_PER_TOKEN = 8;
/** Share of the BF16 peak that small dense models reach (D, as prefill of docs/spec/latency-data.md §3.3). */
const SIDE_UTILISATION = 0.3;
const SIDE_WEIGHT_BYTES = 2;

/** @throws RuntimeError `sim.expert-parallel` when the exchange of so many devices was never measured */
export function rooflineLaw(cluster: Cluster): CostLaw {
  const { audioFrameMs, audioParameters, codecParameters, visionParameters } = cluster.model.encoders;
  const sideMs = (parameters: number, tokens: number) => sideStepMs(cluster, parameters, tokens);
  return {
    languageModel: load => ({
      decodeMs:
        load.decodes > 0
          ? decodeStepMs(cluster, load.decodes, load.decodeContext / load.decodes) +
            stagesMs(cluster, load.decodes)
          : 0,
      prefillMs: prefillMs(cluster, load),
      transferMs: cluster.prefillDevices > 0 ? kvTransferMs(cluster.model, load.prefillPositions) : 0,
    }),
    audioEncoderMs: (_streams, audioMs) => sideMs(audioParameters, audioMs / audioFrameMs),
    visionEncoderMs: (_units, tokens) => sideMs(visionParameters, tokens * PATCHES_PER_TOKEN),
    speechTokenizerMs: (_utterances, audioMs) => sideMs(audioParameters, audioMs / audioFrameMs),
    ganDecoderMs: (_streams, frames) => sideMs(codecParameters, frames),
  };
}

/** Keys and values to another device over one RDMA card (docs/spec/latency-data.md §1.2, §2.1). */
export function kvTransferMs(model: ModelSpec, positions: number): number {
  return (positions * cacheBytesPerToken(model)) / (RDMA_GB_PER_S * 1e6);
}

/** One step of `sequences` sequences with this mean context; drafted tokens are verified in it. */
export function decodeStepMs(cluster: Cluster, sequences: number, meanContext: number): number {
  const { blockOverheadMs, devices, model, stepOverheadMs } = cluster;
  // The fullest device decides.
  const perDevice = Math.ceil(sequences / devices);
  const overheadMs = stepOverheadMs + blockOverheadMs * attentionBlocks(model);
  if (model.overlap !== 'two-batch' || perDevice < 2)
    return overheadMs + stepUs(cluster, sequences, perDevice, meanContext) / 1000;
  return stepOverheadMs + twoBatchUs(cluster, sequences, perDevice, meanContext) / 1000;
}

/**
 * Two halves: while one computes, the other is exchanged. Weights are read and kernels launched for each, so that small
 * batches lose by it; where the exchange takes longer, it waits once a layer for a half to have been begun.
 */
function twoBatchUs(cluster: Cluster, sequences: number, perDevice: number, meanContext: number): number {
  const { blockOverheadMs, model } = cluster;
  const half = Math.ceil(perDevice / 2);
  const parts = partsOf(cluster, Math.ceil(sequences / 2), half, meanContext);
  const overheadUs = blockOverheadMs * model.attention.perLayer * 1000;
  const computedUs = 2 * (parts.attentionUs + parts.expertsUs + overheadUs);
  const layerUs = Math.max(computedUs, 2 * parts.exchangeUs + overheadUs);
  const denseUs = 2 * (parts.attentionUs + parts.denseUs + overheadUs);
  return layerUs * expertLayers(model) + denseUs * (model.layers - expertLayers(model));
}

/** Without overlapping batches. */
function stepUs(cluster: Cluster, sequences: number, perDevice: number, meanContext: number): number {
  const { model } = cluster;
  const { attentionUs, denseUs, exchangeUs, expertsUs } = partsOf(cluster, sequences, perDevice, meanContext);
  const isHidden = model.overlap === 'single-batch';
  const expertPathUs = exchangeUs + expertsUs;
  const densePathUs = (model.attention.perLayer - 1) * attentionUs + denseUs;
  const withExpertsUs = attentionUs + (isHidden ? Math.max(expertPathUs, densePathUs) : expertPathUs);
  const withoutUs = attentionUs + densePathUs;
  const plain = model.layers - expertLayers(model);
  const besideUs = isHidden ? 0 : (model.attention.perLayer - 1) * attentionUs;
  const denseBesideUs = isHidden || denseLayers(model) < model.layers ? 0 : denseUs;
  return expertLayers(model) * (withExpertsUs + besideUs + denseBesideUs) + plain * withoutUs;
}

/** What a layer is made of, µs. */
function partsOf(cluster: Cluster, sequences: number, perDevice: number, meanContext: number) {
  const { accelerator, model } = cluster;
  const verified = perDevice * (1 + model.draft.tokens);
  return {
    attentionUs: attentionBlockUs(model, accelerator, perDevice, meanContext, 1 + model.draft.tokens),
    denseUs: denseUs(cluster, verified),
    exchangeUs: exchangeUs(cluster, verified),
    expertsUs: expertsUs(cluster, sequences * (1 + model.draft.tokens), verified),
  };
}

/**
 * One attention block: its weights once, and the cache of every sequence, which is bound by memory or by arithmetic
 * (docs/spec/latency-data.md §1.2).
 * @param queryTokens tokens that are verified together in each sequence (2 with one drafted token)
 */
export function attentionBlockUs(
  model: ModelSpec,
  name: AcceleratorName,
  sequences: number,
  meanContext: number,
  queryTokens: number,
): number {
  const { bf16Tflops, hbmGbPerS } = ACCELERATORS[name];
  const parameters = attentionParameters(model);
  const context = Math.min(meanContext, model.attention.window ?? Number.POSITIVE_INFINITY);
  const weightsUs = Math.max(
    (parameters * model.attentionBytes) / (hbmGbPerS * 1e3),
    (2 * parameters * sequences * queryTokens) / (bf16Tflops * 1e6),
  );
  const cacheUs =
    (sequences * context * cacheBytesPerBlock(model)) / (hbmGbPerS * MLA_MEMORY_EFFICIENCY * 1e3);
  const flops = sequences * context * attentionFlops(model) * queryTokens;
  return weightsUs + Math.max(cacheUs, flops / (bf16Tflops * MLA_COMPUTE_EFFICIENCY * 1e6));
}

/** Tokens to the experts' devices in FP8 and back in BF16 (docs/spec/latency-data.md §1.3). */
function exchangeUs({ devices, model }: Cluster, tokens: number): number {
  const values = tokens * meanRealExperts(model) * model.hidden;
  return (
    values / (allToAllGbPerS('dispatch', devices) * 1e3) +
    (values * 2) / (allToAllGbPerS('combine', devices) * 1e3)
  );
}

/** Only experts that somebody chose are read; shared ones are on each device. */
function expertsUs({ accelerator, devices, model }: Cluster, tokens: number, onDevice: number): number {
  if (!model.experts) return 0;
  const { hbmGbPerS } = ACCELERATORS[accelerator];
  const { count, shared } = model.experts;
  const real = meanRealExperts(model);
  const chosen = count * (1 - (1 - real / count) ** tokens);
  const bytes = (chosen / devices + shared) * expertParameters(model) * model.weightBytes;
  const flops = onDevice * (real + shared) * 2 * expertParameters(model);
  return Math.max(bytes / (hbmGbPerS * 1e3), flops / (tflops(accelerator, model.weightBytes) * 1e6));
}

/** All dense networks of a layer. */
function denseUs({ accelerator, model }: Cluster, tokens: number): number {
  const { hbmGbPerS } = ACCELERATORS[accelerator];
  const parameters = (model.dense?.perLayer ?? 0) * denseParameters(model);
  return Math.max(
    (parameters * model.weightBytes) / (hbmGbPerS * 1e3),
    (2 * parameters * tokens) / (tflops(accelerator, model.weightBytes) * 1e6),
  );
}

/** Of weights of one byte in FP8, else in BF16. */
function tflops(name: AcceleratorName, weightBytes: number): number {
  const { bf16Tflops, fp8Tflops } = ACCELERATORS[name];
  return weightBytes <= 1 ? fp8Tflops : bf16Tflops;
}

function prefillMs(cluster: Cluster, load: LanguageModelLoad): number {
  const { prefillPositions, prefillContext, decodes } = load;
  if (prefillPositions === 0) return 0;
  const { accelerator, model, prefillDevices } = cluster;
  const devices = prefillDevices || cluster.devices;
  const context = Math.min(prefillContext, model.attention.window ?? Number.POSITIVE_INFINITY);
  const attended = context * prefillAttentionFlops(model) * attentionBlocks(model);
  const flops = prefillPositions * (flopsPerToken(model) + attended);
  const arithmeticMs = flops / (devices * tflops(accelerator, model.weightBytes) * PREFILL_UTILISATION * 1e9);
  // Beside decoding on the same devices the weights are read anyway.
  const shared = prefillDevices === 0 && decodes > 0;
  const floorMs = shared ? 0 : decodeStepMs({ ...cluster, devices }, Math.min(prefillPositions, devices), 0);
  return Math.max(arithmeticMs, floorMs);
}

/** What works on each frame beside the language model, one stage after the other, on one device. */
export function stagesMs({ accelerator, blockOverheadMs, model }: Cluster, sequences: number): number {
  const { bf16Tflops, hbmGbPerS } = ACCELERATORS[accelerator];
  return model.stages.reduce((sum, { activeParameters, layers, parameters, stepsPerFrame }) => {
    const read = Math.min(parameters, activeParameters * sequences) * model.weightBytes;
    const flops = 2 * activeParameters * sequences;
    const stepMs = Math.max(read / (hbmGbPerS * 1e6), flops / (bf16Tflops * SIDE_UTILISATION * 1e9));
    return sum + stepsPerFrame * (stepMs + blockOverheadMs * layers);
  }, 0);
}

function sideStepMs({ accelerator }: Cluster, parameters: number, tokens: number): number {
  const { bf16Tflops, hbmGbPerS } = ACCELERATORS[accelerator];
  const readMs = (parameters * SIDE_WEIGHT_BYTES) / (hbmGbPerS * 1e6);
  return Math.max(readMs, (2 * parameters * tokens) / (bf16Tflops * SIDE_UTILISATION * 1e9));
}
