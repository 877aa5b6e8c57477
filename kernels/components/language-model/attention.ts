import type { LatentBlock, LatentBlockShape, LatentBlockWeights } from '../../latent-block/index.ts';
import type { Ops } from '../../ops.ts';
import type { Weights } from '../../weights/index.ts';
import type { LanguageModelConfig } from './config.ts';

/** Multi-head latent attention (docs/spec/model.md §1.3), one of the two of a layer. */
export function readLatentBlock<T, Page>(
  weights: Weights,
  prefix: string,
  config: LanguageModelConfig,
  ops: Ops<T, Page>,
): LatentBlock<T, Page> {
  return ops.latentBlock(readLatentWeights(weights, prefix, config), latentShape(config));
}

const latentShape = (config: LanguageModelConfig): LatentBlockShape => ({
  heads: config.heads,
  nope: config.nope,
  rope: config.rope,
  value: config.value,
  rank: config.kvRank,
  ropeBase: config.ropeBase,
  normEpsilon: config.latentNormEpsilon,
});

export function readLatentWeights(
  weights: Weights,
  prefix: string,
  config: LanguageModelConfig,
): LatentBlockWeights {
  const { hidden, heads, qRank, kvRank: rank, nope, rope, value } = config;
  const matrix = (name: string, shape: number[]) => weights.matrix(`${prefix}.${name}.weight`, shape);
  // The factors on the two latents live in their norm weights, which costs nothing at run time.
  const scaledNorm = (name: string, width: number, scale: number) =>
    weights.floats(`${prefix}.${name}.weight`, [width]).map(weight => weight * scale);
  return {
    queryDown: matrix('q_a_proj', [qRank, hidden]),
    queryNorm: scaledNorm('q_a_layernorm', qRank, config.queryScale),
    queryUp: matrix('q_b_proj', [heads * (nope + rope), qRank]),
    latentDown: matrix('kv_a_proj_with_mqa', [rank + rope, hidden]),
    latentNorm: scaledNorm('kv_a_layernorm', rank, config.latentScale),
    expansion: matrix('kv_b_proj', [heads * (nope + value), rank]),
    output: matrix('o_proj', [hidden, heads * value]),
  };
}
