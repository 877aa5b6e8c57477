/**
 * The whole model on a cluster: each part of a step takes the longer of its arithmetic and its memory traffic, experts are
 * exchanged all to all, and in each layer the first attention is exposed while the expert branch and the dense path run side
 * by side (single-batch overlap). Sequences are spread evenly over the devices, each of which holds the attention whole.
 */
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
  DENSE_FFN_PARAMETERS,
  EXPERT_PARAMETERS,
  FLOPS_PER_TOKEN,
  KV_BYTES_PER_BLOCK,
  KV_BYTES_PER_TOKEN,
  LONGCAT_FLASH,
  MEAN_REAL_EXPERTS,
  MLA_BLOCK_PARAMETERS,
} from './longcat-flash.ts';

export interface Cluster {
  readonly accelerator: AcceleratorName;
  /** Devices that decode; the experts are spread over them. */
  readonly devices: number;
  /** Devices that only prefill; 0 = the decoding ones do. */
  readonly prefillDevices: number;
  /** What a step takes beside the arithmetic (kernel launches, sampling, scheduling); calibrate. */
  readonly stepOverheadMs: number;
}

/** docs/spec/latency-data.md §3.3: share of the FP8 peak that prefill reaches in DeepSeek's production. */
const PREFILL_UTILISATION = 0.15;
/** docs/spec/latency-data.md §2.2: encoders and decoder ≈ 0.6 B parameters each, the vision encoder 637 M; BF16. */
const SIDE_PARAMETERS = 0.6e9;
const VISION_PARAMETERS = 637e6;
/** docs/spec/latency-data.md §2.2: 2× spatial unshuffle and a temporal stride of 2: patches behind one token. */
const PATCHES_PER_TOKEN = 8;
const AUDIO_FRAME_MS = 80;
/** Share of the BF16 peak that small dense models reach (D, as prefill of docs/spec/latency-data.md §3.3). */
const SIDE_UTILISATION = 0.3;

const WEIGHT_BYTES = 1;
const ATTENTION_WEIGHT_BYTES = 2;
const SIDE_WEIGHT_BYTES = 2;

/** @throws RuntimeError `sim.expert-parallel` when the exchange of so many devices was never measured */
export function rooflineLaw(cluster: Cluster): CostLaw {
  const sideMs = (parameters: number, tokens: number) => sideStepMs(cluster, parameters, tokens);
  return {
    languageModel: load => ({
      decodeMs: load.decodes > 0 ? decodeStepMs(cluster, load.decodes, load.decodeContext / load.decodes) : 0,
      prefillMs: prefillMs(cluster, load),
      transferMs: cluster.prefillDevices > 0 ? kvTransferMs(load.prefillPositions) : 0,
    }),
    audioEncoderMs: (_streams, audioMs) => sideMs(SIDE_PARAMETERS, audioMs / AUDIO_FRAME_MS),
    visionEncoderMs: (_units, tokens) => sideMs(VISION_PARAMETERS, tokens * PATCHES_PER_TOKEN),
    speechTokenizerMs: (_utterances, audioMs) => sideMs(SIDE_PARAMETERS, audioMs / AUDIO_FRAME_MS),
    ganDecoderMs: (_streams, frames) => sideMs(SIDE_PARAMETERS, frames),
  };
}

/** Latent keys and values to another device over one RDMA card (docs/spec/latency-data.md §1.2, §2.1). */
export function kvTransferMs(positions: number): number {
  return (positions * KV_BYTES_PER_TOKEN) / (RDMA_GB_PER_S * 1e6);
}

/** One step of `sequences` sequences with this mean context. */
export function decodeStepMs(cluster: Cluster, sequences: number, meanContext: number): number {
  // The fullest device decides.
  const tokens = Math.ceil(sequences / cluster.devices);
  const attentionUs = attentionBlockUs(cluster.accelerator, tokens, meanContext, 1);
  const expertPathUs = exchangeUs(cluster, tokens) + expertsUs(cluster, sequences, tokens);
  const densePathUs = attentionUs + denseUs(cluster.accelerator, tokens);
  const layerUs = attentionUs + Math.max(expertPathUs, densePathUs);
  return cluster.stepOverheadMs + (layerUs * LONGCAT_FLASH.layers) / 1000;
}

/**
 * One MLA block: its weights once, and the cache of every sequence, which is bound by memory or by arithmetic
 * (docs/spec/latency-data.md §1.2).
 * @param queryTokens tokens that are verified together in each sequence (2 with one drafted token)
 */
export function attentionBlockUs(
  name: AcceleratorName,
  sequences: number,
  meanContext: number,
  queryTokens: number,
): number {
  const { hbmGbPerS, bf16Tflops } = ACCELERATORS[name];
  const { heads, kvRank, ropeDim } = LONGCAT_FLASH;
  const weightsUs = (MLA_BLOCK_PARAMETERS * ATTENTION_WEIGHT_BYTES) / (hbmGbPerS * 1e3);
  const cacheUs = (sequences * meanContext * KV_BYTES_PER_BLOCK) / (hbmGbPerS * MLA_MEMORY_EFFICIENCY * 1e3);
  const flops = sequences * meanContext * heads * queryTokens * 2 * (kvRank + ropeDim + kvRank);
  return weightsUs + Math.max(cacheUs, flops / (bf16Tflops * MLA_COMPUTE_EFFICIENCY * 1e6));
}

/** Tokens to the experts' devices in FP8 and back in BF16 (docs/spec/latency-data.md §1.3). */
function exchangeUs({ devices }: Cluster, tokens: number): number {
  const values = tokens * MEAN_REAL_EXPERTS * LONGCAT_FLASH.hidden;
  return (
    values / (allToAllGbPerS('dispatch', devices) * 1e3) +
    (values * 2) / (allToAllGbPerS('combine', devices) * 1e3)
  );
}

/** Only experts that somebody chose are read. */
function expertsUs({ accelerator, devices }: Cluster, sequences: number, tokens: number): number {
  const { hbmGbPerS, fp8Tflops } = ACCELERATORS[accelerator];
  const { experts } = LONGCAT_FLASH;
  const chosen = experts * (1 - (1 - MEAN_REAL_EXPERTS / experts) ** sequences);
  const readUs = ((chosen / devices) * EXPERT_PARAMETERS * WEIGHT_BYTES) / (hbmGbPerS * 1e3);
  return Math.max(readUs, (tokens * MEAN_REAL_EXPERTS * 2 * EXPERT_PARAMETERS) / (fp8Tflops * 1e6));
}

function denseUs(name: AcceleratorName, tokens: number): number {
  const { hbmGbPerS, fp8Tflops } = ACCELERATORS[name];
  const parameters = LONGCAT_FLASH.denseFfnPerLayer * DENSE_FFN_PARAMETERS;
  return Math.max(
    (parameters * WEIGHT_BYTES) / (hbmGbPerS * 1e3),
    (2 * parameters * tokens) / (fp8Tflops * 1e6),
  );
}

function prefillMs(
  cluster: Cluster,
  { prefillPositions, prefillContext, decodes }: LanguageModelLoad,
): number {
  if (prefillPositions === 0) return 0;
  const { accelerator, prefillDevices } = cluster;
  const devices = prefillDevices || cluster.devices;
  const { heads, headDim, ropeDim, layers, attentionBlocksPerLayer } = LONGCAT_FLASH;
  const attentionFlops =
    prefillContext * heads * 2 * (2 * headDim + ropeDim) * layers * attentionBlocksPerLayer;
  const flops = prefillPositions * (FLOPS_PER_TOKEN + attentionFlops);
  const arithmeticMs = flops / (devices * ACCELERATORS[accelerator].fp8Tflops * PREFILL_UTILISATION * 1e9);
  // Beside decoding on the same devices the weights are read anyway.
  const shared = prefillDevices === 0 && decodes > 0;
  const floorMs = shared ? 0 : decodeStepMs({ ...cluster, devices }, Math.min(prefillPositions, devices), 0);
  return Math.max(arithmeticMs, floorMs);
}

function sideStepMs({ accelerator }: Cluster, parameters: number, tokens: number): number {
  const { hbmGbPerS, bf16Tflops } = ACCELERATORS[accelerator];
  const readMs = (parameters * SIDE_WEIGHT_BYTES) / (hbmGbPerS * 1e6);
  return Math.max(readMs, (2 * parameters * tokens) / (bf16Tflops * SIDE_UTILISATION * 1e9));
}
