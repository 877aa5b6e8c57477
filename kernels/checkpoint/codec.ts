import type { Weight } from '../weights/index.ts';
import type { Dimensions } from './dimensions.ts';
import { RandomTensors } from './random-tensors.ts';
import type { TensorMaker } from './tensor-maker.ts';

/** Snake adds power and every unit adds to its input; these keep speech-like levels without saturating the tanh. */
const UNIT_GAIN = 0.4;
const LAST_GAIN = 0.15;

/** `audio_codec/decoder.safetensors` (docs/spec/model.md §4.7). */
export function decoderWeights({ codec }: Dimensions, seed: number): Weight[] {
  const tensors = new RandomTensors(seed);
  addDecoder(tensors, codec.codec_config);
  return tensors.weights;
}

export type DecoderSizes = QuantizerSizes &
  Pick<Dimensions['codec']['codec_config'], 'decoder_dim' | 'codec_dec_ratios'>;

export function addDecoder(tensors: TensorMaker, c: DecoderSizes): void {
  const width = c.semantic_dim + c.codec_dimension;
  tensors.add('semantic_dequantizer.dequant.weight', [c.semantic_token_nums, c.semantic_dim], 1);
  addQuantizer(tensors, c);
  for (const n of [1, 2]) {
    const name = 'decoder.mem_layers.0';
    for (const part of ['weight_ih_l0', 'weight_hh_l0']) {
      tensors.linear(`${name}.lstm_list${n}.0.${part}`, [4 * width, width]);
    }
    for (const part of ['bias_ih_l0', 'bias_hh_l0'])
      tensors.bias(`${name}.lstm_list${n}.0.${part}`, 4 * width);
    tensors.norm(`${name}.ln${n}`, width, true);
  }
  let channels = c.decoder_dim;
  tensors.normalized('decoder.model.0', [channels, width, 7], 1);
  c.codec_dec_ratios.forEach((stride, b) => {
    const name = `decoder.model.${b + 1}.block`;
    const inputs = channels;
    channels = Math.floor(channels / 2);
    addAlpha(tensors, `${name}.0.alpha`, inputs);
    // The norm runs over an input channel's outputs and taps, hence the gain.
    const gain = Math.sqrt((channels * stride) / inputs);
    tensors.normalized(`${name}.1`, [inputs, channels, stride], gain, channels);
    for (const unit of [2, 3, 4]) addUnit(tensors, `${name}.${unit}.block`, channels, [0, 2, 3, 4]);
  });
  const after = c.codec_dec_ratios.length + 1;
  addAlpha(tensors, `decoder.model.${after}.alpha`, channels);
  tensors.normalized(`decoder.model.${after + 2}`, [1, channels, 7], LAST_GAIN);
}

/** `audio_codec/encoder.safetensors`. */
export function encoderWeights({ codec }: Dimensions, seed: number): Weight[] {
  const tensors = new RandomTensors(seed);
  addEncoder(tensors, codec.encoder);
  return tensors.weights;
}

export interface EncoderSizes {
  readonly codec_config: QuantizerSizes &
    Pick<Dimensions['codec']['encoder']['codec_config'], 'encoder_dim' | 'codec_enc_ratios'>;
  readonly semantic_tokenizer_config: Pick<
    Dimensions['codec']['encoder']['semantic_tokenizer_config'],
    'codebook_dim' | 'codebook_size'
  >;
  readonly semantic_tokenizer: { readonly encoder: { readonly VGGtf_encoder: TransformerSizes } };
}

export function addEncoder(tensors: TensorMaker, encoder: EncoderSizes): void {
  const { codec_config: c, semantic_tokenizer_config: semantic } = encoder;
  let channels = c.encoder_dim;
  tensors.normalized('encoder.block.0', [channels, 1, 7], 1);
  c.codec_enc_ratios.forEach((stride, b) => {
    const name = `encoder.block.${b + 1}.block`;
    for (const unit of [0, 1, 2]) addUnit(tensors, `${name}.${unit}.block`, channels, [0, 1, 2, 3]);
    addAlpha(tensors, `${name}.3.alpha`, channels);
    tensors.normalized(`${name}.4`, [2 * channels, channels, 2 * stride], 1);
    channels *= 2;
  });
  const after = c.codec_enc_ratios.length + 1;
  addAlpha(tensors, `encoder.block.${after}.alpha`, channels);
  tensors.normalized(`encoder.block.${after + 1}`, [c.codec_dimension, channels, 3], 1);
  addQuantizer(tensors, c);
  addSemanticEncoder(tensors, encoder.semantic_tokenizer.encoder.VGGtf_encoder);
  tensors.add(
    'semantic_tokenizer.kmeans.codebook',
    [semantic.codebook_dim, semantic.codebook_size],
    semantic.codebook_dim ** -0.5,
  );
}

type QuantizerSizes = Pick<
  Dimensions['codec']['codec_config'],
  | 'codec_dimension'
  | 'semantic_dim'
  | 'semantic_token_nums'
  | 'codec_codebooks'
  | 'codec_codebook_size'
  | 'codec_codebook_search_dim'
>;

/** Encoder and decoder file hold the same quantiser: same seed and names give the same values. */
function addQuantizer(tensors: TensorMaker, c: QuantizerSizes): void {
  const { codec_dimension: width, codec_codebook_search_dim: search, codec_codebook_size: entries } = c;
  for (let j = 0; j < c.codec_codebooks; j++) {
    const name = `acoustic_quantizer.quantizers.${j}`;
    for (const letter of ['a', 'b']) {
      tensors.normalized(`${name}.in_proj_${letter}`, [search, width, 1], 1);
      tensors.normalized(`${name}.out_proj_${letter}`, [width / 2, search, 1], 0.6);
      tensors.add(`${name}.codebook_${letter}.weight`, [entries, search], 1);
    }
  }
}

/** A residual unit; `indices` name its Snake, dilated convolution, Snake and pointwise convolution. */
function addUnit(tensors: TensorMaker, name: string, channels: number, indices: readonly number[]): void {
  addAlpha(tensors, `${name}.${indices[0]}.alpha`, channels);
  tensors.normalized(`${name}.${indices[1]}`, [channels, channels, 7], UNIT_GAIN);
  addAlpha(tensors, `${name}.${indices[2]}.alpha`, channels);
  tensors.normalized(`${name}.${indices[3]}`, [channels, channels, 1], UNIT_GAIN);
}

function addAlpha(tensors: TensorMaker, name: string, channels: number): void {
  tensors.add(name, [1, channels, 1], 0.1, 1);
}

type TransformerSizes = Pick<
  Dimensions['codec']['encoder']['semantic_tokenizer']['encoder']['VGGtf_encoder'],
  'feat_dim' | 'conv2d_stride' | 'd_model' | 'num_encoder_layers' | 'dim_feedforward'
>;

function addSemanticEncoder(tensors: TensorMaker, c: TransformerSizes): void {
  const { d_model: width, dim_feedforward: inner } = c;
  const model = 'semantic_tokenizer.model';
  const channels = 32;
  const strides = c.conv2d_stride.split(',');
  strides.forEach((_, i) => {
    const name = `${model}.subsampling.conv.subsampling/conv${i}`;
    tensors.linearWithBias(name, [channels, i === 0 ? 1 : channels, 3, 3], Math.SQRT2);
  });
  const flat = channels * (c.feat_dim - 2 * strides.length);
  tensors.linearWithBias(`${model}.subsampling.affine`, [width, flat], Math.SQRT2);
  tensors.norm(`${model}.subsampling.norm`, width, true);
  for (let i = 0; i < c.num_encoder_layers; i++) {
    const name = `${model}.encoder.layers.${i}`;
    for (const norm of ['norm1', 'norm2', 'norm3']) tensors.norm(`${name}.${norm}`, width, true);
    tensors.linear(`${name}.self_attn.in_proj_weight`, [3 * width, width]);
    tensors.bias(`${name}.self_attn.in_proj_bias`, 3 * width);
    tensors.linearWithBias(`${name}.self_attn.out_proj`, [width, width]);
    tensors.linearWithBias(`${name}.linear1`, [inner, width]);
    tensors.linearWithBias(`${name}.linear2`, [width, inner], Math.SQRT2);
  }
}
