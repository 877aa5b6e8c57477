import { join } from 'node:path';
import { z } from 'zod';
import type { SpecialTokens } from '../../engine/engine.ts';
import { RuntimeError } from '../../errors.ts';
import { readSpecialTokens } from '../../tokenizer/index.ts';
import { readConfigFile, sizeSchema } from '../config-file.ts';

const FP8_ONLY = 'of quantised weights only fp8 with a scale per block of 128 × 128 is read';

const rate = z.number().positive();

/**
 * `config.json` of a Hugging Face LongCat-Flash directory; missing keys have the values of docs/spec/model.md §1.1,
 * unknown ones are ignored. Keys whose other values would change the arithmetic accept only what is implemented.
 */
const schema = z.object({
  hidden_size: sizeSchema.default(6144),
  num_layers: sizeSchema.default(28),
  num_attention_heads: sizeSchema.default(64),
  q_lora_rank: sizeSchema.default(1536),
  kv_lora_rank: sizeSchema.default(512),
  qk_nope_head_dim: sizeSchema.default(128),
  qk_rope_head_dim: sizeSchema.multipleOf(2).default(64),
  v_head_dim: sizeSchema.default(128),
  head_dim: sizeSchema.nullish(),
  ffn_hidden_size: sizeSchema.default(12288),
  expert_ffn_hidden_size: sizeSchema.default(2048),
  n_routed_experts: sizeSchema.default(512),
  zero_expert_num: z.int().min(0).nullable().default(256),
  zero_expert_type: z.literal('identity').nullish(),
  moe_topk: sizeSchema.default(12),
  routed_scaling_factor: z.number().default(6),
  norm_topk_prob: z.literal(false).nullish(),
  router_bias: z.literal(false).nullish(),
  attention_bias: z.literal(false).nullish(),
  hidden_act: z.literal('silu').nullish(),
  rms_norm_eps: rate.default(1e-5),
  mla_norm_eps: rate.default(1e-6),
  mla_scale_q_lora: z.boolean().default(true),
  mla_scale_kv_lora: z.boolean().default(true),
  rope_theta: rate.optional(),
  rope_scaling: z.null().optional(),
  rope_parameters: z
    .object({ rope_theta: rate.optional(), rope_type: z.literal('default').optional() })
    .nullish(),
  quantization_config: z
    .object({
      quant_method: z.literal('fp8', { error: FP8_ONLY }),
      weight_block_size: z.tuple([z.literal(128), z.literal(128)], { error: FP8_ONLY }),
    })
    .nullish(),
  max_position_embeddings: sizeSchema.default(131072),
  vocab_size: sizeSchema.default(131072),
  bos_token_id: z.int().min(0).nullable().default(1),
  eos_token_id: z.int().min(0).nullable().default(2),
  pad_token_id: z.int().min(0).nullable().default(3),
  wait_token_id: z.int().min(0).nullish(),
  tie_word_embeddings: z.boolean().default(false),
});

export interface LanguageModelConfig {
  readonly hidden: number;
  readonly layers: number;
  readonly heads: number;
  readonly qRank: number;
  readonly kvRank: number;
  readonly nope: number;
  readonly rope: number;
  readonly value: number;
  readonly ffn: number;
  readonly expertFfn: number;
  readonly routedExperts: number;
  readonly identityExperts: number;
  readonly topK: number;
  /** Factor on every expert's weight, identity experts included. */
  readonly routingFactor: number;
  readonly normEpsilon: number;
  /** Of the two inner norms of MLA (docs/spec/model.md §1.3). */
  readonly latentNormEpsilon: number;
  /** What the normed query latent is multiplied by: sqrt(hidden / qRank) or 1. */
  readonly queryScale: number;
  readonly latentScale: number;
  readonly ropeBase: number;
  readonly maxPositions: number;
  readonly vocabSize: number;
  readonly bos: number;
  readonly eos: number;
  readonly pad: number;
  /** `SpecialTokens.wait`. */
  readonly wait: number | null;
  readonly tiedEmbeddings: boolean;
}

/** What the files of a model directory say of its language model. */
export interface LanguageModelSetup {
  readonly config: LanguageModelConfig;
  readonly tokens: SpecialTokens;
}

/** @throws RuntimeError `config.*` | `tokenizer.*` */
export const readLanguageModelSetup = (directory: string): LanguageModelSetup => ({
  config: readLanguageModelConfig(directory),
  tokens: readSpecialTokens(directory),
});

/** @throws RuntimeError `config.open` | `config.invalid` */
export function readLanguageModelConfig(directory: string): LanguageModelConfig {
  const path = join(directory, 'config.json');
  return languageModelConfig(readConfigFile(path, schema), path);
}

/** The configuration of the full-size model, or of `keys` where given (official key names). */
export function parseLanguageModelConfig(keys: Readonly<Record<string, unknown>> = {}): LanguageModelConfig {
  return languageModelConfig(schema.parse(keys), 'given keys');
}

function languageModelConfig(file: z.infer<typeof schema>, source: string): LanguageModelConfig {
  const identityExperts = file.zero_expert_num ?? 0;
  const fail = (what: string, values: Record<string, unknown>) =>
    new RuntimeError('config.invalid', what, { file: source, ...values });

  if (file.head_dim && file.head_dim !== file.qk_rope_head_dim) {
    const { head_dim, qk_rope_head_dim } = file;
    throw fail('head_dim is the rotary width and must equal qk_rope_head_dim.', {
      head_dim,
      qk_rope_head_dim,
    });
  }
  if ((file.wait_token_id ?? 0) >= file.vocab_size) {
    const { wait_token_id, vocab_size } = file;
    throw fail('The wait token is outside the vocabulary.', { wait_token_id, vocab_size });
  }
  const experts = file.n_routed_experts + identityExperts;
  if (file.moe_topk > experts) {
    throw fail('More experts are chosen than there are.', { moe_topk: file.moe_topk, experts });
  }
  return {
    hidden: file.hidden_size,
    layers: file.num_layers,
    heads: file.num_attention_heads,
    qRank: file.q_lora_rank,
    kvRank: file.kv_lora_rank,
    nope: file.qk_nope_head_dim,
    rope: file.qk_rope_head_dim,
    value: file.v_head_dim,
    ffn: file.ffn_hidden_size,
    expertFfn: file.expert_ffn_hidden_size,
    routedExperts: file.n_routed_experts,
    identityExperts,
    topK: file.moe_topk,
    routingFactor: file.routed_scaling_factor,
    normEpsilon: file.rms_norm_eps,
    latentNormEpsilon: file.mla_norm_eps,
    queryScale: file.mla_scale_q_lora ? Math.sqrt(file.hidden_size / file.q_lora_rank) : 1,
    latentScale: file.mla_scale_kv_lora ? Math.sqrt(file.hidden_size / file.kv_lora_rank) : 1,
    ropeBase: file.rope_theta ?? file.rope_parameters?.rope_theta ?? 1e7,
    maxPositions: file.max_position_embeddings,
    vocabSize: file.vocab_size,
    bos: file.bos_token_id ?? 1,
    eos: file.eos_token_id ?? 2,
    pad: file.pad_token_id ?? 3,
    wait: file.wait_token_id ?? null,
    tiedEmbeddings: file.tie_word_embeddings,
  };
}
