/** Parameters, cache and arithmetic of a model (docs/spec/latency-data.md §2.1), from its description. */
import type { ModelSpec } from '../models/model-schema.ts';

/** Numbers that one token adds to the cache of one attention block. */
function cachedNumbers({ attention }: ModelSpec): number {
  return attention.kind === 'latent'
    ? attention.kvRank + attention.ropeDim
    : 2 * attention.kvHeads * attention.headDim;
}

/** Weights of one attention block: into queries, keys and values, and out. */
export function attentionParameters({ attention, hidden }: ModelSpec): number {
  const { headDim, heads } = attention;
  const out = heads * headDim * hidden;
  if (attention.kind === 'grouped') return hidden * headDim * (heads + 2 * attention.kvHeads) + out;
  const { kvRank, queryRank, ropeDim } = attention;
  return (
    hidden * queryRank +
    queryRank * heads * (headDim + ropeDim) +
    hidden * (kvRank + ropeDim) +
    kvRank * heads * 2 * headDim +
    out
  );
}

/** Multiplications and additions of one query that attends to one cached position, in one block. */
export function attentionFlops({ attention }: ModelSpec): number {
  const { heads } = attention;
  return attention.kind === 'latent'
    ? heads * 2 * (2 * attention.kvRank + attention.ropeDim)
    : heads * 2 * 2 * attention.headDim;
}

/** The same while prefilling, where keys and values are not absorbed. */
export function prefillAttentionFlops({ attention }: ModelSpec): number {
  const ropeDim = attention.kind === 'latent' ? attention.ropeDim : 0;
  return attention.heads * 2 * (2 * attention.headDim + ropeDim);
}

export const expertParameters = ({ experts, hidden }: ModelSpec): number =>
  experts ? 3 * hidden * experts.inner : 0;
export const denseParameters = ({ dense, hidden }: ModelSpec): number =>
  dense ? 3 * hidden * dense.inner : 0;
export const denseLayers = ({ dense, layers }: ModelSpec): number => (dense ? (dense.layers ?? layers) : 0);
export const expertLayers = ({ experts, layers }: ModelSpec): number =>
  experts ? (experts.layers ?? layers) : 0;
export const attentionBlocks = ({ attention, layers }: ModelSpec): number => layers * attention.perLayer;

/** Experts that compute, of those that a token is sent to, on average. */
export function meanRealExperts({ experts }: ModelSpec): number {
  return experts ? (experts.chosen * experts.count) / (experts.count + experts.zero) : 0;
}

/** Routers and norms are left out, as in the table. */
export function parametersOf(model: ModelSpec) {
  const { dense, experts, hidden, vocabulary } = model;
  return {
    experts: expertLayers(model) * ((experts?.count ?? 0) + (experts?.shared ?? 0)) * expertParameters(model),
    attention: attentionBlocks(model) * attentionParameters(model),
    dense: denseLayers(model) * (dense?.perLayer ?? 0) * denseParameters(model),
    embeddings: 2 * vocabulary * hidden,
  };
}

export function totalParameters(model: ModelSpec): number {
  return Object.values(parametersOf(model)).reduce((sum, part) => sum + part, 0);
}

/**
 * Parameters that work on one token that is sent to this many computing experts; a look-up reads no embedding table.
 */
export function activeParameters(model: ModelSpec, realExperts = meanRealExperts(model)): number {
  const { attention, dense, embeddings } = parametersOf(model);
  const used = realExperts + (model.experts?.shared ?? 0);
  return attention + dense + embeddings / 2 + expertLayers(model) * used * expertParameters(model);
}

export const cacheBytesPerBlock = (model: ModelSpec): number => cachedNumbers(model) * model.cacheBytes;
export const cacheBytesPerToken = (model: ModelSpec): number =>
  cacheBytesPerBlock(model) * attentionBlocks(model);
export const flopsPerToken = (model: ModelSpec): number => 2 * activeParameters(model);

/** Tokens that a step of the language model yields on average. */
export const tokensPerStep = ({ draft }: ModelSpec): number => 1 + draft.tokens * draft.acceptance;

/** Of one device: experts are spread over the devices, everything else is on each. */
export function weightBytesPerDevice(model: ModelSpec, devices: number): number {
  const { attention, dense, embeddings, experts } = parametersOf(model);
  const stages = model.stages.reduce((sum, stage) => sum + stage.parameters, 0);
  return (
    (experts / devices + dense) * model.weightBytes +
    (attention + embeddings) * model.attentionBytes +
    stages * model.weightBytes
  );
}
