import { nativeAttention } from '../attention/cpu.ts';
import { nativeCmvn } from '../cmvn/cpu.ts';
import { nativeCodebookHeads } from '../codebook-heads/cpu.ts';
import { nativeConvTranspose1d } from '../conv-transpose1d/cpu.ts';
import { nativeConv1d } from '../conv1d/cpu.ts';
import { nativeConv2d } from '../conv2d/cpu.ts';
import { nativeDoubleLinear } from '../double-linear/cpu.ts';
import { nativeEmbedding } from '../embedding/cpu.ts';
import { nativeExpertRanks } from '../expert-ranks/cpu.ts';
import { nativeExperts } from '../experts/cpu.ts';
import { nativeFbank } from '../fbank/cpu.ts';
import { nativeFeedForward } from '../feed-forward/cpu.ts';
import { nativeFft } from '../fft/cpu.ts';
import { nativeFsmn } from '../fsmn/cpu.ts';
import { nativeG711 } from '../g711/cpu.ts';
import { nativeGelu } from '../gelu/cpu.ts';
import { nativeLatentAttention } from '../latent-attention/cpu.ts';
import { nativeLatentBlock } from '../latent-block/cpu.ts';
import { nativeLayerNorm } from '../layer-norm/cpu.ts';
import { nativeLinear } from '../linear/cpu.ts';
import { nativeLstm } from '../lstm/cpu.ts';
import type { Ops } from '../ops.ts';
import { nativePatchify } from '../patchify/cpu.ts';
import { nativePenalise } from '../penalty/cpu.ts';
import { referenceOps } from '../reference-ops.ts';
import { nativeRelu6 } from '../relu6/cpu.ts';
import { nativeResampler } from '../resample/cpu.ts';
import { nativeResidual } from '../residual/cpu.ts';
import { nativeResizeBicubic } from '../resize-bicubic/cpu.ts';
import { nativeResizeBilinear } from '../resize-bilinear/cpu.ts';
import { nativeRmsNorm } from '../rms-norm/cpu.ts';
import { nativeRotary } from '../rotary/cpu.ts';
import { nativeRotary2d } from '../rotary-2d/cpu.ts';
import { nativeRouter } from '../router/cpu.ts';
import { nativeSampleToken } from '../sampling/cpu.ts';
import { nativeSnake } from '../snake/cpu.ts';
import { nativeSplice } from '../splice/cpu.ts';
import { nativeSwiglu } from '../swiglu/cpu.ts';
import { nativeVectorQuantizer } from '../vector-quantizer/cpu.ts';
import { nativeVoiceFrame } from '../voice-frame/cpu.ts';
import { nativeYuvToRgb } from '../yuv-to-rgb/cpu.ts';
import type { NativeAddon } from './addon.ts';

/** The operations that have C++ kernels. */
export function compiledOps(addon: NativeAddon): Partial<Ops> {
  return {
    linear: nativeLinear(addon),
    cmvn: nativeCmvn(addon),
    conv2d: nativeConv2d(addon),
    fbank: nativeFbank(addon),
    fft: nativeFft(addon),
    ...(addon.voiceFrame && { voiceFrame: nativeVoiceFrame(addon) }),
    ...(addon.doubleLinear && { doubleLinear: nativeDoubleLinear(addon) }),
    resampler: nativeResampler(addon),
    resizeBicubic: nativeResizeBicubic(addon),
    vectorQuantizer: nativeVectorQuantizer(addon),
    rmsNorm: nativeRmsNorm(addon),
    swiglu: nativeSwiglu(addon),
    conv1d: nativeConv1d(addon),
    convTranspose1d: nativeConvTranspose1d(addon),
    fsmn: nativeFsmn(addon),
    gelu: nativeGelu(addon),
    layerNorm: nativeLayerNorm(addon),
    lstm: nativeLstm(addon),
    relu6: nativeRelu6(addon),
    residual: nativeResidual(addon),
    snake: nativeSnake(addon),
    attention: nativeAttention(addon),
    rotary2d: nativeRotary2d(addon),
    codebookHeads: nativeCodebookHeads(addon),
    embedding: nativeEmbedding(addon),
    expertRanks: nativeExpertRanks(addon),
    experts: nativeExperts(addon),
    feedForward: nativeFeedForward(addon),
    latentAttention: nativeLatentAttention(addon),
    latentBlock: nativeLatentBlock(addon),
    penalise: nativePenalise(addon),
    rotary: nativeRotary(addon),
    router: nativeRouter(addon),
    g711: nativeG711(addon),
    patchify: nativePatchify(addon),
    resizeBilinear: nativeResizeBilinear(addon),
    splice: nativeSplice(addon),
    yuvToRgb: nativeYuvToRgb(addon),
    sampleToken: nativeSampleToken(addon),
  };
}

/** All operations: compiled where there is a kernel, the reference for the rest. */
export const nativeOps = (addon: NativeAddon): Ops => ({ ...referenceOps, ...compiledOps(addon) });
