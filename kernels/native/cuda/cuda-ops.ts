import { cudaAttention } from '../../attention/cuda.ts';
import { cudaCodebookHeads } from '../../codebook-heads/cuda.ts';
import { cudaConv1d } from '../../conv1d/cuda.ts';
import { cudaConv2d } from '../../conv2d/cuda.ts';
import { convTranspose1dOver } from '../../conv-transpose1d/reference.ts';
import { cudaEmbedding } from '../../embedding/cuda.ts';
import { cudaExperts } from '../../experts/cuda.ts';
import { cudaFeedForward } from '../../feed-forward/cuda.ts';
import { cudaFsmn } from '../../fsmn/cuda.ts';
import { cudaGelu } from '../../gelu/cuda.ts';
import { cudaLatentAttention } from '../../latent-attention/cuda.ts';
import { cudaLatentBlock } from '../../latent-block/cuda.ts';
import { cudaLayerNorm } from '../../layer-norm/cuda.ts';
import { cudaLinear } from '../../linear/cuda.ts';
import { cudaLstm } from '../../lstm/cuda.ts';
import type { Ops } from '../../ops.ts';
import { cudaPenalise } from '../../penalty/cuda.ts';
import { cudaRelu6 } from '../../relu6/cuda.ts';
import { cudaResidual } from '../../residual/cuda.ts';
import { cudaRmsNorm } from '../../rms-norm/cuda.ts';
import { cudaRotary } from '../../rotary/cuda.ts';
import { cudaRotary2d } from '../../rotary-2d/cuda.ts';
import { cudaRouter } from '../../router/cuda.ts';
import { cudaSampleToken } from '../../sampling/cuda.ts';
import { cudaSnake } from '../../snake/cuda.ts';
import { cudaSwiglu } from '../../swiglu/cuda.ts';
import { cudaVectorQuantizer } from '../../vector-quantizer/cuda.ts';
import type { CudaDevice } from './device.ts';

/** The operations that have CUDA kernels, each on copies of its arrays. */
export function deviceOps(device: CudaDevice): Partial<Ops> {
  return {
    attention: cudaAttention(device),
    codebookHeads: cudaCodebookHeads(device),
    conv1d: cudaConv1d(device),
    conv2d: cudaConv2d(device),
    convTranspose1d: convTranspose1dOver(cudaLinear(device)),
    embedding: cudaEmbedding(device),
    experts: cudaExperts(device),
    feedForward: cudaFeedForward(device),
    fsmn: cudaFsmn(device),
    gelu: cudaGelu(device),
    latentAttention: cudaLatentAttention(device),
    latentBlock: cudaLatentBlock(device),
    layerNorm: cudaLayerNorm(device),
    linear: cudaLinear(device),
    lstm: cudaLstm(device),
    penalise: cudaPenalise(device),
    relu6: cudaRelu6(device),
    residual: cudaResidual(device),
    rmsNorm: cudaRmsNorm(device),
    rotary: cudaRotary(device),
    rotary2d: cudaRotary2d(device),
    router: cudaRouter(device),
    sampleToken: cudaSampleToken(device),
    snake: cudaSnake(device),
    swiglu: cudaSwiglu(device),
    vectorQuantizer: cudaVectorQuantizer(device),
  };
}
