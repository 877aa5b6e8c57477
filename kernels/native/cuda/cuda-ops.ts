import { cudaCodebookHeads } from '../../codebook-heads/cuda.ts';
import { cudaEmbedding } from '../../embedding/cuda.ts';
import { cudaExperts } from '../../experts/cuda.ts';
import { cudaFeedForward } from '../../feed-forward/cuda.ts';
import { cudaLatentAttention } from '../../latent-attention/cuda.ts';
import { cudaLatentBlock } from '../../latent-block/cuda.ts';
import { cudaLinear } from '../../linear/cuda.ts';
import type { Ops } from '../../ops.ts';
import { cudaPenalise } from '../../penalty/cuda.ts';
import { cudaResidual } from '../../residual/cuda.ts';
import { cudaRmsNorm } from '../../rms-norm/cuda.ts';
import { cudaRotary } from '../../rotary/cuda.ts';
import { cudaRouter } from '../../router/cuda.ts';
import { cudaSampleToken } from '../../sampling/cuda.ts';
import { cudaSwiglu } from '../../swiglu/cuda.ts';
import type { CudaDevice } from './device.ts';

/** The operations that have CUDA kernels, each on copies of its arrays. */
export function deviceOps(device: CudaDevice): Partial<Ops> {
  return {
    codebookHeads: cudaCodebookHeads(device),
    embedding: cudaEmbedding(device),
    experts: cudaExperts(device),
    feedForward: cudaFeedForward(device),
    latentAttention: cudaLatentAttention(device),
    latentBlock: cudaLatentBlock(device),
    linear: cudaLinear(device),
    penalise: cudaPenalise(device),
    residual: cudaResidual(device),
    rmsNorm: cudaRmsNorm(device),
    rotary: cudaRotary(device),
    router: cudaRouter(device),
    sampleToken: cudaSampleToken(device),
    swiglu: cudaSwiglu(device),
  };
}
