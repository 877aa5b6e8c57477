/** The decode table of docs/spec/latency-data.md §2.3 as formulas. Times in µs unless said otherwise. */
export interface DecodeModel {
  readonly layers: number;
  readonly hidden: number;
  readonly expertInner: number;
  /** FFN experts that a token is sent to. */
  readonly realExperts: number;
  readonly sharedExperts: number;
  /** µs a layer; an input of the table, not predicted. */
  readonly attentionUs: number;
  readonly overlap: 'two-batch' | 'single-batch';
}

export interface DecodeStep {
  readonly dispatchUs: number;
  readonly moeUs: number;
  readonly combineUs: number;
  readonly layerUs: number;
  /** Of one user. */
  readonly msPerToken: number;
  readonly dollarsPerMillionTokens: number;
}

/** docs/spec/latency-data.md §2.3: what the formulas assume. */
const EXCHANGE_GB_PER_S = 40;
const FP8_TFLOPS = 1979;
const TOKENS_PER_SEQUENCE = 2;
const TOKENS_PER_STEP = 1.8;
const DOLLARS_PER_HOUR = 2;

/** docs/spec/latency-data.md §2.3, the models of its table. */
export const DECODE_MODELS = {
  'DeepSeek-V3': {
    layers: 61,
    hidden: 7168,
    expertInner: 2048,
    realExperts: 8,
    sharedExperts: 1,
    attentionUs: 471,
    overlap: 'two-batch',
  },
  'Qwen3-235B-A22B': {
    layers: 94,
    hidden: 4096,
    expertInner: 1536,
    realExperts: 8,
    sharedExperts: 0,
    attentionUs: 314,
    overlap: 'two-batch',
  },
  'LongCat-Flash': {
    layers: 28,
    hidden: 6144,
    expertInner: 2048,
    realExperts: 8,
    sharedExperts: 0,
    attentionUs: 264,
    overlap: 'single-batch',
  },
} as const satisfies Record<string, DecodeModel>;

/** @param batchPerDevice sequences on one device */
export function closedFormDecode(model: DecodeModel, batchPerDevice: number): DecodeStep {
  const tokens = batchPerDevice * TOKENS_PER_SEQUENCE;
  const { hidden, expertInner, realExperts, sharedExperts } = model;
  const exchangedBytes = tokens * realExperts * hidden;
  const dispatchUs = exchangedBytes / (EXCHANGE_GB_PER_S * 1e3);
  const combineUs = (exchangedBytes * 2) / (EXCHANGE_GB_PER_S * 1e3);
  const moeUs = (tokens * (realExperts + sharedExperts) * 6 * hidden * expertInner) / (FP8_TFLOPS * 1e6);
  const exposedUs = model.overlap === 'single-batch' ? model.attentionUs : 0;
  const layerUs = exposedUs + dispatchUs + moeUs + combineUs;
  const msPerToken = (layerUs * model.layers) / TOKENS_PER_STEP / 1000;
  const tokensPerHour = (batchPerDevice / msPerToken) * 1000 * 3600;
  return {
    dispatchUs,
    moeUs,
    combineUs,
    layerUs,
    msPerToken,
    dollarsPerMillionTokens: (DOLLARS_PER_HOUR / tokensPerHour) * 1e6,
  };
}
