import { RuntimeError } from '../../errors.ts';
import type { ExpertWeights } from '../../experts/index.ts';
import type { LinearWeight } from '../../linear/index.ts';
import { asStored } from '../../native/cuda/device.ts';
import { rotaryFrequencies } from '../../rotary/reference.ts';
import type { Weight, Weights } from '../../weights/index.ts';
import type { DeviceTensor } from '../device-tensors.ts';
import { readLatentWeights } from './attention.ts';
import type { LanguageModelConfig } from './config.ts';
import { readFeedForwardWeights } from './feed-forward.ts';
import { readExpert } from './mixture.ts';
import { readCodeHeadWeights, readCodeTables } from './parts.ts';

/**
 * Everything that a device holds of a model, in the order in which native/cuda/language-model.cpp takes it. Tensors are
 * read when their data is asked for, one after the other, so that the host never holds more than one of them.
 */
export function* deviceTensors(
  directory: string,
  weights: Weights,
  config: LanguageModelConfig,
): Generator<DeviceTensor> {
  const { hidden, vocabSize, layers, rope, ropeBase } = config;
  yield rotaryFrequencies(rope, ropeBase);
  yield weights.matrix('model.embed_tokens.weight', [vocabSize, hidden]);
  yield* readCodeTables(directory, hidden);
  for (let layer = 0; layer < layers; layer++) yield* layerTensors(weights, layer, config);
  yield weights.floats('model.norm.weight', [hidden]);
  const head = config.tiedEmbeddings ? 'model.embed_tokens.weight' : 'lm_head.weight';
  yield weights.matrix(head, [vocabSize, hidden]);
  const codes = readCodeHeadWeights(directory, hidden);
  if (codes) yield* [...codes.heads, ...codes.cascade];
}

function* layerTensors(
  weights: Weights,
  layer: number,
  config: LanguageModelConfig,
): Generator<DeviceTensor> {
  const { hidden, ffn, routedExperts, identityExperts } = config;
  const prefix = `model.layers.${layer}`;
  for (const half of [0, 1]) {
    yield weights.floats(`${prefix}.input_layernorm.${half}.weight`, [hidden]);
    yield weights.floats(`${prefix}.post_attention_layernorm.${half}.weight`, [hidden]);
    const block = readLatentWeights(weights, `${prefix}.self_attn.${half}`, config);
    const dense = readFeedForwardWeights(weights, `${prefix}.mlps.${half}`, hidden, ffn);
    yield* [block.queryNorm, block.latentNorm];
    yield* stored([block.queryDown, block.queryUp, block.latentDown, block.expansion, block.output]);
    yield* alike([dense.gate, dense.up]);
    yield* stored([dense.down]);
  }
  const outputs = routedExperts + identityExperts;
  yield weights.matrix(`${prefix}.mlp.router.classifier.weight`, [outputs, hidden]);
  yield weights.floats(`${prefix}.mlp.router.e_score_correction_bias`, [outputs]);
  let first: ExpertWeights | null = null;
  for (let e = 0; e < routedExperts; e++) {
    const expert = readExpert(weights, `${prefix}.mlp.experts`, config, e);
    first ??= expert;
    yield* alike([first.gate, expert.gate, expert.up]).slice(1);
    yield* alike([first.down, expert.down]).slice(1);
  }
}

const stored = (weights: readonly LinearWeight[]): Weight[] => weights.map(asStored);

/** Kernels read these side by side and have one type for them. */
function alike(weights: readonly LinearWeight[]): Weight[] {
  const all = stored(weights);
  const isBfloat16 = (weight: Weight) => weight.dtype === 'bf16';
  const odd = all.find(weight => isBfloat16(weight) !== isBfloat16(all[0]));
  if (!odd) return all;
  throw new RuntimeError(
    'weights.dtype',
    'Gate, up and the experts of a layer are wanted in one element type.',
    { tensor: odd.name, dtype: odd.dtype, others: all[0].dtype },
    'Export the model in one type, or use the cpu engine.',
  );
}
