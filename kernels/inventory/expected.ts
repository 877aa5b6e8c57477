import { type AudioEncoderSizes, addAudioEncoder, addAudioProjector } from '../checkpoint/audio-encoder.ts';
import { addDecoder, addEncoder, type DecoderSizes, type EncoderSizes } from '../checkpoint/codec.ts';
import { addBackbone } from '../checkpoint/language-model.ts';
import { TensorList, type TensorMaker } from '../checkpoint/tensor-maker.ts';
import { addVisionModel, addVisionProjector, type VisionSizes } from '../checkpoint/vision-encoder.ts';
import type { LanguageModelConfig } from '../components/language-model/config.ts';
import { CODEBOOKS } from '../engine/positions.ts';
import type { Weights } from '../weights/index.ts';
import type { Expected } from './compare.ts';

const listed = (add: (tensors: TensorMaker) => void): ReadonlyMap<string, readonly number[]> => {
  const list = new TensorList();
  add(list);
  return list.shapes;
};

/** The prediction head of text checkpoints, and what other loaders put into the file but compute themselves. */
const UNUSED = /^model\.mtp\.|\.rotary_emb\.inv_freq$/;

/**
 * Backbone in the Hugging Face layout (docs/spec/model.md §1.11); experts one by one, or fused as `weights` has them.
 */
export function expectedBackbone(c: LanguageModelConfig, weights: Weights): Expected {
  const shapes = new Map(
    listed(tensors =>
      addBackbone(tensors, {
        hidden_size: c.hidden,
        num_layers: c.layers,
        num_attention_heads: c.heads,
        q_lora_rank: c.qRank,
        kv_lora_rank: c.kvRank,
        qk_nope_head_dim: c.nope,
        qk_rope_head_dim: c.rope,
        v_head_dim: c.value,
        ffn_hidden_size: c.ffn,
        expert_ffn_hidden_size: c.expertFfn,
        n_routed_experts: c.routedExperts,
        zero_expert_num: c.identityExperts,
        vocab_size: c.vocabSize,
      }),
    ),
  );
  if (c.tiedEmbeddings) shapes.delete('lm_head.weight');
  for (let layer = 0; layer < c.layers; layer++)
    fuse(shapes, `model.layers.${layer}.mlp.experts`, c, weights);
  const optional = new Map(c.tiedEmbeddings ? [['lm_head.weight', [c.vocabSize, c.hidden]] as const] : []);
  return { shapes, optional, ignored: UNUSED, allowsFp8: true };
}

/**
 * Where a layer's experts are fused, their tensors are two; rows of identity experts may follow those of the others.
 */
function fuse(
  shapes: Map<string, readonly number[]>,
  prefix: string,
  { hidden, expertFfn, routedExperts, identityExperts }: LanguageModelConfig,
  weights: Weights,
): void {
  if (!weights.has(`${prefix}.gate_up_proj`)) return;
  for (let e = 0; e < routedExperts; e++)
    for (const part of ['gate', 'up', 'down']) shapes.delete(`${prefix}.${e}.${part}_proj.weight`);
  for (const [name, rows, columns] of [
    ['gate_up_proj', 2 * expertFfn, hidden],
    ['down_proj', hidden, expertFfn],
  ] as const) {
    const all = routedExperts + identityExperts;
    const full = `${prefix}.${name}`;
    const experts = weights.has(full) && weights.shapeOf(full)[0] === all ? all : routedExperts;
    shapes.set(full, [experts, rows, columns]);
  }
}

/** Both side files of codes: `entries` rows in each table. */
export const expectedCodeTables = (hidden: number, entries: number): Expected => ({
  shapes: listed(tensors => addTables(tensors, 'audio_embeddings', CODEBOOKS, entries, hidden)),
});

export const expectedCodeHeads = (hidden: number, entries: number): Expected => ({
  shapes: listed(tensors => {
    addTables(tensors, 'audio_output_layers', CODEBOOKS, entries, hidden);
    addTables(tensors, 'embedding', CODEBOOKS - 1, entries, hidden);
  }),
});

function addTables(tensors: TensorMaker, stem: string, count: number, entries: number, hidden: number): void {
  for (let i = 0; i < count; i++) tensors.linear(`${stem}.${i}.weight`, [entries, hidden]);
}

/** The CTC head is read where there is one. */
export const expectedAudioEncoder = (c: AudioEncoderSizes & { vocab_size: number }): Expected => ({
  shapes: listed(tensors => addAudioEncoder(tensors, c)),
  optional: listed(tensors => tensors.linearWithBias('output', [c.vocab_size, c.hidden_size])),
});

export const expectedAudioProjector = (c: AudioEncoderSizes): Expected => ({
  shapes: listed(tensors => addAudioProjector(tensors, c)),
});

export const expectedVisionModel = (c: VisionSizes): Expected => ({
  shapes: listed(tensors => addVisionModel(tensors, c)),
});

export const expectedVisionProjector = (c: VisionSizes): Expected => ({
  shapes: listed(tensors => addVisionProjector(tensors, c)),
});

export const expectedDecoder = (c: DecoderSizes): Expected => ({
  shapes: listed(tensors => addDecoder(tensors, c)),
});

export const expectedEncoder = (c: EncoderSizes): Expected => ({
  shapes: listed(tensors => addEncoder(tensors, c)),
});
