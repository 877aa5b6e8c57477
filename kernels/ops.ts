import type { Attention } from './attention/index.ts';
import type { Cmvn } from './cmvn/index.ts';
import type { PrepareCodebookHeads } from './codebook-heads/index.ts';
import type { PrepareConvTranspose1d } from './conv-transpose1d/index.ts';
import type { PrepareConv1d } from './conv1d/index.ts';
import type { PrepareConv2d } from './conv2d/index.ts';
import type { PrepareEmbedding } from './embedding/index.ts';
import type { CreateExpertRanks } from './expert-ranks/index.ts';
import type { PrepareExperts } from './experts/index.ts';
import type { PrepareFbank } from './fbank/index.ts';
import type { PrepareFeedForward } from './feed-forward/index.ts';
import type { PrepareDoubleLinear } from './double-linear/index.ts';
import type { PrepareFft } from './fft/index.ts';
import type { PrepareFsmn } from './fsmn/index.ts';
import type { G711, G711Law } from './g711/index.ts';
import type { Gelu } from './gelu/index.ts';
import type { CachePage, PrepareLatentAttention } from './latent-attention/index.ts';
import type { PrepareLatentBlock } from './latent-block/index.ts';
import type { LayerNorm } from './layer-norm/index.ts';
import type { PrepareLinear } from './linear/index.ts';
import type { PrepareLstm } from './lstm/index.ts';
import type { Patchify } from './patchify/index.ts';
import type { Penalise } from './penalty/index.ts';
import type { Relu6 } from './relu6/index.ts';
import type { CreateResampler } from './resample/index.ts';
import type { Residual } from './residual/index.ts';
import type { ResizeBicubic } from './resize-bicubic/index.ts';
import type { ResizeBilinear } from './resize-bilinear/index.ts';
import type { RmsNorm } from './rms-norm/index.ts';
import type { PrepareRotary } from './rotary/index.ts';
import type { Rotary2d } from './rotary-2d/index.ts';
import type { PrepareRouter } from './router/index.ts';
import type { SampleToken } from './sampling/index.ts';
import type { Snake } from './snake/index.ts';
import type { Splice } from './splice/index.ts';
import type { Swiglu } from './swiglu/index.ts';
import type { TensorMemory } from './tensor-memory.ts';
import type { PrepareVectorQuantizer } from './vector-quantizer/index.ts';
import type { YuvToRgb } from './yuv-to-rgb/index.ts';
import type { PrepareVoiceFrame } from './voice-frame/index.ts';

/**
 * The operations an engine brings; components are written once against this and run on any engine. Activations are
 * row-major (rows × width); a row is computed in the same order whatever the batch.
 *
 * The language model's run on tensors and pages of whatever kind the engine has; what it lets the host see goes through
 * `memory`. The others, of sound and pictures, run on arrays of this process, where their samples and pixels are.
 */
export interface Ops<T = Float32Array, Page = CachePage> {
  readonly memory: TensorMemory<T, Page>;
  readonly linear: PrepareLinear<T>;
  readonly rmsNorm: RmsNorm<T>;
  readonly swiglu: Swiglu;
  readonly cmvn: Cmvn;
  readonly conv1d: PrepareConv1d;
  readonly conv2d: PrepareConv2d;
  readonly convTranspose1d: PrepareConvTranspose1d;
  readonly fbank: PrepareFbank;
  readonly doubleLinear: PrepareDoubleLinear;
  readonly fft: PrepareFft;
  readonly fsmn: PrepareFsmn;
  readonly g711: Readonly<Record<G711Law, G711>>;
  readonly gelu: Gelu;
  readonly layerNorm: LayerNorm;
  readonly lstm: PrepareLstm;
  readonly relu6: Relu6;
  readonly resampler: CreateResampler;
  readonly voiceFrame: PrepareVoiceFrame;
  readonly residual: Residual<T>;
  readonly snake: Snake;
  readonly splice: Splice;
  readonly vectorQuantizer: PrepareVectorQuantizer;
  readonly attention: Attention;
  readonly patchify: Patchify;
  readonly resizeBicubic: ResizeBicubic;
  readonly resizeBilinear: ResizeBilinear;
  readonly yuvToRgb: YuvToRgb;
  readonly rotary2d: Rotary2d;
  readonly codebookHeads: PrepareCodebookHeads<T>;
  readonly embedding: PrepareEmbedding<T>;
  readonly expertRanks: CreateExpertRanks<T>;
  readonly experts: PrepareExperts<T>;
  readonly feedForward: PrepareFeedForward<T>;
  readonly latentAttention: PrepareLatentAttention;
  readonly latentBlock: PrepareLatentBlock<T, Page>;
  readonly penalise: Penalise;
  readonly rotary: PrepareRotary;
  readonly router: PrepareRouter<T>;
  readonly sampleToken: SampleToken;
}
