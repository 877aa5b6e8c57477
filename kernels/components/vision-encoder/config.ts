import { join } from 'node:path';
import { z } from 'zod';
import { RuntimeError } from '../../errors.ts';
import { readConfigFile, sizeSchema } from '../config-file.ts';
import { MIN_TOKENS } from './resize-rule.ts';

const rgb = z.tuple([z.number(), z.number(), z.number()]);

/**
 * `vision/config.json` (docs/spec/model.md §11); unknown keys are ignored, missing ones have the values of
 * docs/spec/model.md §2.1 and §2.2.
 */
const visionConfigFile = z.object({
  hidden_size: sizeSchema.default(1280),
  num_hidden_layers: sizeSchema.default(32),
  num_attention_heads: sizeSchema.default(16),
  intermediate_size: sizeSchema.default(5184),
  patch_size: sizeSchema.default(14),
  temporal_patch_size: z.literal(2).default(2),
  num_channels: z.literal(3).default(3),
  layer_norm_eps: z.number().positive().default(1e-6),
  rope_theta: z.number().positive().default(10_000),
  qk_normalization: z.boolean().default(true),
  qkv_bias: z.boolean().default(false),
  patch_embedding_bias: z.boolean().default(true),
  adaptor_dim: sizeSchema.default(7168),
  proj_output_dim: sizeSchema.default(6144),
  resize_factor: sizeSchema.default(8),
  spatial_merge_size: z.literal(1).default(1),
  min_tokens: sizeSchema.default(576),
  max_tokens: sizeSchema.default(5832),
  min_tokens_video_vit: sizeSchema.optional(),
  max_tokens_video_vit: sizeSchema.optional(),
  min_tokens_video: sizeSchema.optional(),
  image_mean: rgb.default([0.485, 0.456, 0.406]),
  image_std: rgb.default([0.229, 0.224, 0.225]),
});

export interface VisionConfig {
  readonly hidden: number;
  readonly layers: number;
  readonly heads: number;
  readonly headDim: number;
  /** Effective SwiGLU width: two thirds of the file's `intermediate_size`. */
  readonly intermediate: number;
  readonly patch: number;
  /** Frames of a unit. */
  readonly frames: number;
  readonly epsilon: number;
  readonly ropeBase: number;
  readonly normaliseQk: boolean;
  readonly qkvBias: boolean;
  readonly patchBias: boolean;
  readonly adaptor: number;
  readonly output: number;
  /** Pictures are resized to multiples of this many pixels. */
  readonly resizePixels: number;
  /** Patches of a still image. */
  readonly still: PatchBudget;
  /** Patches of a pair of frames. */
  readonly pair: PatchBudget;
  /** Tokens that interpolation should leave, where the caller's bound allows. */
  readonly minInterpolatedTokens: number;
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

interface PatchBudget {
  readonly min: number;
  readonly max: number;
}

/** The file under its own keys. @throws RuntimeError `config.open` | `config.invalid` */
export const readVisionKeys = (modelDirectory: string): z.infer<typeof visionConfigFile> =>
  readConfigFile(pathIn(modelDirectory), visionConfigFile);

const pathIn = (modelDirectory: string): string => join(modelDirectory, 'vision', 'config.json');

/** @throws RuntimeError `config.open` | `config.invalid` | `vision.config` */
export function readVisionConfig(modelDirectory: string): VisionConfig {
  const file = readVisionKeys(modelDirectory);
  const headDim = file.hidden_size / file.num_attention_heads;
  if (headDim % 4 !== 0) {
    throw new RuntimeError(
      'vision.config',
      'Each attention head must be a multiple of 4 wide.',
      {
        file: pathIn(modelDirectory),
        hidden_size: file.hidden_size,
        num_attention_heads: file.num_attention_heads,
      },
      'Use the config.json that belongs to the weights.',
    );
  }
  return {
    hidden: file.hidden_size,
    layers: file.num_hidden_layers,
    heads: file.num_attention_heads,
    headDim,
    intermediate: Math.floor((file.intermediate_size * 2) / 3),
    patch: file.patch_size,
    frames: file.temporal_patch_size,
    epsilon: file.layer_norm_eps,
    ropeBase: file.rope_theta,
    normaliseQk: file.qk_normalization,
    qkvBias: file.qkv_bias,
    patchBias: file.patch_embedding_bias,
    adaptor: file.adaptor_dim,
    output: file.proj_output_dim,
    resizePixels: file.patch_size * file.spatial_merge_size * file.resize_factor,
    still: { min: file.min_tokens, max: file.max_tokens },
    // The budget of n frames is divided by n/2 units; a unit on its own has all of it (docs/spec/model.md §2.2).
    pair: {
      min: file.min_tokens_video_vit ?? file.min_tokens,
      max: Math.min(file.max_tokens, file.max_tokens_video_vit ?? file.max_tokens),
    },
    minInterpolatedTokens: file.min_tokens_video ?? MIN_TOKENS,
    mean: file.image_mean,
    std: file.image_std,
  };
}
