/** The backbone that is served, as arithmetic (docs/spec/latency-data.md §2.1). */
export const LONGCAT_FLASH = {
  layers: 28,
  hidden: 6144,
  attentionBlocksPerLayer: 2,
  heads: 64,
  kvRank: 512,
  ropeDim: 64,
  queryRank: 1536,
  headDim: 128,
  denseFfnPerLayer: 2,
  denseInner: 12_288,
  experts: 512,
  zeroExperts: 256,
  expertInner: 2048,
  topK: 12,
  vocabulary: 131_072,
} as const;

const m = LONGCAT_FLASH;
const attentionBlocks = m.layers * m.attentionBlocksPerLayer;

/** Weights of one MLA block: query down and up, keys and values down and up, output. */
export const MLA_BLOCK_PARAMETERS =
  m.hidden * m.queryRank +
  m.queryRank * m.heads * (m.headDim + m.ropeDim) +
  m.hidden * (m.kvRank + m.ropeDim) +
  m.kvRank * m.heads * 2 * m.headDim +
  m.heads * m.headDim * m.hidden;
export const DENSE_FFN_PARAMETERS = 3 * m.hidden * m.denseInner;
export const EXPERT_PARAMETERS = 3 * m.hidden * m.expertInner;

/** Routers and norms (0.13 B) are left out, as in the table. */
export const PARAMETERS = {
  experts: m.layers * m.experts * EXPERT_PARAMETERS,
  mla: attentionBlocks * MLA_BLOCK_PARAMETERS,
  denseFfn: m.layers * m.denseFfnPerLayer * DENSE_FFN_PARAMETERS,
  embeddings: 2 * m.vocabulary * m.hidden,
} as const;

export const TOTAL_PARAMETERS = Object.values(PARAMETERS).reduce((sum, part) => sum + part, 0);

/** FFN experts that a token uses on average: the others of its top-k are zero-computation experts. */
export const MEAN_REAL_EXPERTS = (m.topK * m.experts) / (m.experts + m.zeroExperts);

/** Parameters that work on one token when `realExperts` of its slots are FFN experts; a look-up reads no embedding table. */
export function activeParameters(realExperts: number): number {
  const { mla, denseFfn, embeddings } = PARAMETERS;
  return mla + denseFfn + embeddings / 2 + m.layers * realExperts * EXPERT_PARAMETERS;
}

/** Latent keys and rotary keys of one token in one block, BF16. */
export const KV_BYTES_PER_BLOCK = (m.kvRank + m.ropeDim) * 2;
export const KV_BYTES_PER_TOKEN = KV_BYTES_PER_BLOCK * attentionBlocks;
export const FLOPS_PER_TOKEN = 2 * activeParameters(MEAN_REAL_EXPERTS);
