import { CODE_END, CODE_OFFSET, CODEBOOKS } from '../engine/positions.ts';
import type { Weight } from '../weights/index.ts';
import type { Dimensions } from './dimensions.ts';
import { RandomTensors } from './random-tensors.ts';
import type { TensorMaker } from './tensor-maker.ts';
import type { TextVocabulary } from './vocabulary.ts';

/**
 * How much livelier than an ordinary row the output rows that end things are. An untrained model answers by chance;
 * these make a reply a few segments of a few seconds long instead of running to the step limit.
 */
const CLOSING_GAIN = 2.6;
const CODE_END_GAIN = 2.2;
const PUNCTUATION_GAIN = 1.5;

/** `model.safetensors` (docs/spec/model.md §1.11). */
export function backboneWeights(
  { languageModel: c }: Dimensions,
  vocabulary: TextVocabulary,
  seed: number,
): Weight[] {
  const tensors = new RandomTensors(seed, 'bf16');
  const hidden = c.hidden_size;
  addBackbone(tensors, c, rows => {
    for (let id = 0; id < c.vocab_size; id++) scaleRow(rows, id, hidden, textGain(id, c, vocabulary));
  });
  return tensors.weights;
}

export type BackboneSizes = Pick<
  Dimensions['languageModel'],
  | 'hidden_size'
  | 'num_layers'
  | 'num_attention_heads'
  | 'q_lora_rank'
  | 'kv_lora_rank'
  | 'qk_nope_head_dim'
  | 'qk_rope_head_dim'
  | 'v_head_dim'
  | 'ffn_hidden_size'
  | 'expert_ffn_hidden_size'
  | 'n_routed_experts'
  | 'zero_expert_num'
  | 'vocab_size'
>;

export function addBackbone(
  tensors: TensorMaker,
  c: BackboneSizes,
  editHead?: (rows: Float32Array) => void,
): void {
  const hidden = c.hidden_size;
  tensors.add('model.embed_tokens.weight', [c.vocab_size, hidden], 1);
  tensors.add('lm_head.weight', [c.vocab_size, hidden], hidden ** -0.5, 0, editHead);
  tensors.norm('model.norm', hidden);
  for (let layer = 0; layer < c.num_layers; layer++) addLayer(tensors, `model.layers.${layer}`, c);
}

function addLayer(tensors: TensorMaker, prefix: string, c: BackboneSizes): void {
  const { hidden_size: hidden, ffn_hidden_size: ffn, expert_ffn_hidden_size: expertFfn } = c;
  for (const i of [0, 1]) {
    tensors.norm(`${prefix}.input_layernorm.${i}`, hidden);
    tensors.norm(`${prefix}.post_attention_layernorm.${i}`, hidden);
    addAttention(tensors, `${prefix}.self_attn.${i}`, c);
    addSwiglu(tensors, `${prefix}.mlps.${i}`, hidden, ffn);
  }
  const outputs = c.n_routed_experts + c.zero_expert_num;
  tensors.linear(`${prefix}.mlp.router.classifier.weight`, [outputs, hidden], 2);
  tensors.add(`${prefix}.mlp.router.e_score_correction_bias`, [outputs], 0.01);
  for (let e = 0; e < c.n_routed_experts; e++)
    addSwiglu(tensors, `${prefix}.mlp.experts.${e}`, hidden, expertFfn);
}

function addAttention(tensors: TensorMaker, prefix: string, c: BackboneSizes): void {
  const { hidden_size: hidden, q_lora_rank: qRank, kv_lora_rank: kvRank, num_attention_heads: heads } = c;
  const { qk_nope_head_dim: nope, qk_rope_head_dim: rope, v_head_dim: value } = c;
  tensors.linear(`${prefix}.q_a_proj.weight`, [qRank, hidden]);
  tensors.norm(`${prefix}.q_a_layernorm`, qRank);
  tensors.linear(`${prefix}.q_b_proj.weight`, [heads * (nope + rope), qRank]);
  tensors.linear(`${prefix}.kv_a_proj_with_mqa.weight`, [kvRank + rope, hidden]);
  tensors.norm(`${prefix}.kv_a_layernorm`, kvRank);
  tensors.linear(`${prefix}.kv_b_proj.weight`, [heads * (nope + value), kvRank]);
  tensors.linear(`${prefix}.o_proj.weight`, [hidden, heads * value]);
}

function addSwiglu(tensors: TensorMaker, prefix: string, hidden: number, inner: number): void {
  tensors.linear(`${prefix}.gate_proj.weight`, [inner, hidden]);
  tensors.linear(`${prefix}.up_proj.weight`, [inner, hidden]);
  tensors.linear(`${prefix}.down_proj.weight`, [hidden, inner]);
}

/** `audio/audio_embeddings.safetensors`. */
export function codeEmbeddings({ languageModel, codeEntries }: Dimensions, seed: number): Weight[] {
  const tensors = new RandomTensors(seed);
  const shape = [CODE_OFFSET + codeEntries, languageModel.hidden_size];
  for (let i = 0; i < CODEBOOKS; i++) tensors.add(`audio_embeddings.${i}.weight`, shape, 0.5);
  return tensors.weights;
}

/** `audio/audio_output_layers.safetensors`: reserved ids are never chosen, except the semantic end. */
export function codeHeads(
  { languageModel: { hidden_size: hidden }, codeEntries }: Dimensions,
  seed: number,
): Weight[] {
  const tensors = new RandomTensors(seed);
  const shape = [CODE_OFFSET + codeEntries, hidden];
  for (let i = 0; i < CODEBOOKS; i++) {
    tensors.add(`audio_output_layers.${i}.weight`, shape, hidden ** -0.5, 0, rows => {
      for (let id = 0; id < CODE_OFFSET; id++) {
        scaleRow(rows, id, hidden, i === 0 && id === CODE_END ? CODE_END_GAIN : 0);
      }
    });
  }
  for (let i = 0; i < CODEBOOKS - 1; i++) tensors.add(`embedding.${i}.weight`, shape, 0.5);
  return tensors.weights;
}

function textGain(id: number, config: Dimensions['languageModel'], vocabulary: TextVocabulary): number {
  if (id === config.eos_token_id || id === vocabulary.pause) return CLOSING_GAIN;
  if (!vocabulary.printable.has(id)) return 0;
  return vocabulary.punctuation.has(id) ? PUNCTUATION_GAIN : 1;
}

function scaleRow(rows: Float32Array, row: number, width: number, gain: number): void {
  for (let i = row * width; i < (row + 1) * width; i++) rows[i] *= gain;
}
