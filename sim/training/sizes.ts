/**
 * Sizes and arithmetic of LongCat-Flash-Omni in training, from the model's description and
 * docs/spec/model.md §0.2, §1.1.
 */
import {
  attentionParameters,
  denseParameters,
  expertParameters,
  meanRealExperts,
  parametersOf,
} from '../engines/model-arithmetic.ts';
import type { ModelSpec } from '../models/model-schema.ts';

export const BF16 = 2;
export const FP32 = 4;

/** docs/spec/model.md §0.2, parameters. */
export const ENCODERS = {
  vision: 636.55e6,
  visionProjector: 113.8e6,
  audio: 479.9e6,
  audioProjector: 75.5e6,
} as const;

/** docs/spec/model.md §2.1. */
const VIT = { width: 1280, layers: 32, patches: 2916 } as const;

/** FLOP of one token's forward in one layer, by what computes it; `context` positions, causal. */
export function layerFlops(model: ModelSpec, context: number) {
  const { attention } = model;
  const inner = attention.headDim * 2 + (attention.kind === 'latent' ? attention.ropeDim : 0);
  return {
    projections: 2 * attentionParameters(model) * attention.perLayer,
    attention: attention.perLayer * 2 * attention.heads * inner * (context / 2),
    dense: 2 * denseParameters(model) * (model.dense?.perLayer ?? 0),
    experts: 2 * expertParameters(model) * meanRealExperts(model),
  };
}

/** Parameters on one device of a pipeline stage without embeddings. */
export function stageParameters(model: ModelSpec, pp: number, ep: number) {
  const { experts, attention, dense } = parametersOf(model);
  return { experts: experts / ep / pp, dense: (attention + dense) / pp };
}

/**
 * Numbers that autograd keeps of one token in one layer for its backward, by what keeps them;
 * docs/spec/model.md §1.2–1.4.
 */
export function savedNumbers(model: ModelSpec) {
  const { hidden } = model;
  if (model.attention.kind !== 'latent' || !model.experts || !model.dense) return null;
  const { heads, headDim, queryRank, kvRank, ropeDim, perLayer } = model.attention;
  const query = heads * (headDim + ropeDim);
  const routed = meanRealExperts(model);
  return {
    /** Residual streams, the inputs of the four norms. */
    residuals: 2 * perLayer * hidden,
    /** What the norms give. */
    norms: 2 * perLayer * hidden,
    innerNorms: perLayer * (queryRank + kvRank),
    latents: perLayer * (queryRank + kvRank + ropeDim),
    /** Queries before and after rotation, keys put together, keys and values as they come from the latent. */
    queriesKeysValues: perLayer * (2 * query + query + heads * 2 * headDim),
    attentionOut: perLayer * heads * headDim,
    /** SwiGLU: gate and up, SiLU(gate), and the product; of the dense networks and of the routed experts. */
    gates: 2 * (model.dense.perLayer * model.dense.inner + routed * model.experts.inner),
    activations: model.dense.perLayer * model.dense.inner + routed * model.experts.inner,
    products: model.dense.perLayer * model.dense.inner + routed * model.experts.inner,
    /** Tokens in the order of their experts, and what the experts give before it is weighed and added up. */
    permuted: routed * hidden,
    expertOut: routed * hidden,
    /** Logits and probabilities of the router, in float32. */
    router: 2 * 2 * (model.experts.count + model.experts.zero),
  };
}

export type Saved = NonNullable<ReturnType<typeof savedNumbers>>;

/** What is computed again in the backward instead of being kept. */
export const RECOMPUTED: readonly (keyof Saved)[] = ['norms', 'innerNorms', 'products'];

export function savedBytes(saved: Saved, without: readonly (keyof Saved)[] = []): number {
  const kept = Object.entries(saved).filter(([name]) => !without.includes(name as keyof Saved));
  return kept.reduce((sum, [, numbers]) => sum + numbers, 0) * BF16;
}

export function encoderFlopsPerVisionToken(): number {
  const attention = 4 * VIT.width * VIT.patches * VIT.layers;
  // A token is two patches; the projector works on tokens.
  return 2 * (2 * ENCODERS.vision + attention) + 2 * ENCODERS.visionProjector;
}
