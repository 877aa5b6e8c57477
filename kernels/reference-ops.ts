import { attention } from './attention/reference.ts';
import { cmvn } from './cmvn/reference.ts';
import { prepareCodebookHeads } from './codebook-heads/reference.ts';
import { prepareConvTranspose1d } from './conv-transpose1d/reference.ts';
import { prepareConv1d } from './conv1d/reference.ts';
import { prepareConv2d } from './conv2d/reference.ts';
import { prepareEmbedding } from './embedding/reference.ts';
import { createExpertRanks } from './expert-ranks/reference.ts';
import { prepareExperts } from './experts/reference.ts';
import { prepareFbank } from './fbank/reference.ts';
import { prepareFeedForward } from './feed-forward/reference.ts';
import { prepareDoubleLinear } from './double-linear/reference.ts';
import { prepareFft } from './fft/reference.ts';
import { prepareFsmn } from './fsmn/reference.ts';
import { g711 } from './g711/reference.ts';
import { gelu } from './gelu/reference.ts';
import { prepareLatentAttention } from './latent-attention/reference.ts';
import { prepareLatentBlock } from './latent-block/reference.ts';
import { layerNorm } from './layer-norm/reference.ts';
import { prepareLinear } from './linear/reference.ts';
import { prepareLstm } from './lstm/reference.ts';
import type { Ops } from './ops.ts';
import { patchify } from './patchify/reference.ts';
import { penalise } from './penalty/reference.ts';
import { relu6 } from './relu6/reference.ts';
import { createResampler } from './resample/reference.ts';
import { residual } from './residual/reference.ts';
import { resizeBicubic } from './resize-bicubic/reference.ts';
import { resizeBilinear } from './resize-bilinear/reference.ts';
import { rmsNorm } from './rms-norm/reference.ts';
import { prepareRotary } from './rotary/reference.ts';
import { rotary2d } from './rotary-2d/reference.ts';
import { prepareRouter } from './router/reference.ts';
import { sampleToken } from './sampling/reference.ts';
import { snake } from './snake/reference.ts';
import { splice } from './splice/reference.ts';
import { swiglu } from './swiglu/reference.ts';
import { hostMemory } from './tensor-memory.ts';
import { prepareVectorQuantizer } from './vector-quantizer/reference.ts';
import { yuvToRgb } from './yuv-to-rgb/reference.ts';
import { prepareVoiceFrame } from './voice-frame/reference.ts';

/** The operations in plain TypeScript: slow, readable, and the truth the other engines are measured against. */
export const referenceOps: Ops = {
  memory: hostMemory,
  linear: prepareLinear,
  rmsNorm,
  swiglu,
  cmvn,
  conv1d: prepareConv1d,
  conv2d: prepareConv2d,
  convTranspose1d: prepareConvTranspose1d,
  fbank: prepareFbank,
  doubleLinear: prepareDoubleLinear,
  fft: prepareFft,
  fsmn: prepareFsmn,
  g711,
  gelu,
  layerNorm,
  lstm: prepareLstm,
  relu6,
  resampler: createResampler,
  voiceFrame: prepareVoiceFrame,
  residual,
  snake,
  splice,
  vectorQuantizer: prepareVectorQuantizer,
  attention,
  patchify,
  resizeBicubic,
  resizeBilinear,
  yuvToRgb,
  rotary2d,
  codebookHeads: prepareCodebookHeads,
  embedding: prepareEmbedding,
  expertRanks: createExpertRanks,
  experts: prepareExperts,
  feedForward: prepareFeedForward,
  latentAttention: prepareLatentAttention,
  latentBlock: prepareLatentBlock,
  penalise,
  rotary: prepareRotary,
  router: prepareRouter,
  sampleToken,
};
