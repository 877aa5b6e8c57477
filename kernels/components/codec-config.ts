import { join } from 'node:path';
import { z } from 'zod';
import { fileNameSchema, readConfigFile, sizeSchema } from './config-file.ts';
import { fbankSchema } from './feature-config.ts';

/** Three acoustic stages, with the semantic code four codebooks: all that the runtime's positions can carry. */
const quantizerKeys = {
  codec_dimension: sizeSchema.default(1024),
  semantic_dim: sizeSchema.default(1280),
  semantic_token_nums: sizeSchema.default(8192),
  codec_codebooks: z.literal(3).default(3),
  codec_codebook_size: z.int().min(1).max(10_000).default(90),
  codec_codebook_search_dim: sizeSchema.default(8),
};

const ratios = z.array(z.int().min(1).max(64)).min(1).max(16);

const decoderSchema = z.object({
  ...quantizerKeys,
  decoder_dim: sizeSchema.default(1536),
  codec_dec_ratios: ratios.default([8, 6, 6, 5]),
  decoder_type: z.literal('24k').default('24k'),
  ckpt_path: fileNameSchema.default('decoder.safetensors'),
});

const encoderSchema = z.object({
  codec_config: z.object({
    ...quantizerKeys,
    input_sample_rate: z.literal(16000).default(16000),
    encoder_dim: sizeSchema.default(64),
    codec_enc_ratios: ratios.default([4, 5, 6, 8]),
    ckpt_path: fileNameSchema.default('encoder.safetensors'),
  }),
  semantic_tokenizer_config: z.object({
    select_layer: z.int().min(1).max(1000).default(26),
    codebook_dim: sizeSchema.default(1280),
    codebook_size: sizeSchema.default(8192),
  }),
  semantic_tokenizer: z.object({
    feature: z.object({
      fbank: fbankSchema.prefault({}),
      cmvn_file: fileNameSchema.default('encoder_cmvn.json'),
    }),
    encoder: z.object({
      type: z.literal('VGGtf_encoder').default('VGGtf_encoder'),
      VGGtf_encoder: z.object({
        feat_dim: sizeSchema.default(80),
        conv2d_stride: z.string().default('2,3'),
        num_conv_layers: z.literal(2).default(2),
        d_model: sizeSchema.default(1280),
        nhead: sizeSchema.default(20),
        num_encoder_layers: z.int().min(1).max(1000).default(26),
        dim_feedforward: sizeSchema.default(5120),
        activation: z.literal('gelu').default('gelu'),
      }),
    }),
  }),
});

export type QuantizerConfig = Pick<z.infer<typeof decoderSchema>, keyof typeof quantizerKeys>;
export type GanDecoderConfig = z.infer<typeof decoderSchema>;
export type SpeechTokenizerConfig = z.infer<typeof encoderSchema>;

/** The decoder section of `audio_codec/config.json` (docs/spec/model.md §11). */
export const readGanDecoderConfig = (modelDirectory: string): GanDecoderConfig =>
  readConfigFile(pathIn(modelDirectory), z.object({ codec_config: decoderSchema })).codec_config;

/** The `encoder` section of `audio_codec/config.json`. */
export const readSpeechTokenizerConfig = (modelDirectory: string): SpeechTokenizerConfig =>
  readConfigFile(pathIn(modelDirectory), z.object({ encoder: encoderSchema })).encoder;

const pathIn = (modelDirectory: string): string => join(modelDirectory, 'audio_codec', 'config.json');
