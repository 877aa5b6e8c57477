import { paddedChannels, weightByPaddedTap } from '../../conv1d/cuda.ts';
import type { Conv1dShape } from '../../conv1d/index.ts';
import { asStored } from '../../native/cuda/device.ts';
import { referenceOps } from '../../reference-ops.ts';
import { columnsOf } from '../../vector-quantizer/cpu.ts';
import type { VectorQuantizerShape } from '../../vector-quantizer/index.ts';
import { searchableCodebook } from '../../vector-quantizer/reference.ts';
import { createWeight, type Weights } from '../../weights/index.ts';
import { loadAcousticQuantizer } from '../acoustic-quantizer.ts';
import type { SpeechTokenizerConfig } from '../codec-config.ts';
import type { DeviceTensor } from '../device-tensors.ts';
import { foldedWeight } from '../weight-norm.ts';
import { DILATIONS } from './acoustic-encoder.ts';
import { CHANNELS, KERNEL, MODEL, positionTable } from './semantic-encoder.ts';
import { readKmeans } from './speech-tokenizer.ts';

/** Everything that a device holds of an encoder, in the order in which native/cuda/speech-tokenizer.cpp takes it. */
export function* deviceTensors(
  weights: Weights,
  config: SpeechTokenizerConfig,
  strides: readonly number[],
  mostFrames: number,
): Generator<DeviceTensor> {
  const { VGGtf_encoder: transformer } = config.semantic_tokenizer.encoder;
  const { select_layer, codebook_size: entries } = config.semantic_tokenizer_config;
  const { d_model: width, dim_feedforward: inner } = transformer;
  let bands = transformer.feat_dim;
  for (const i of strides.keys()) {
    const name = `${MODEL}.subsampling.conv.subsampling/conv${i}`;
    yield weights.floats(`${name}.weight`, [CHANNELS, i === 0 ? 1 : CHANNELS, KERNEL, KERNEL]);
    yield weights.floats(`${name}.bias`, [CHANNELS]);
    bands -= KERNEL - 1;
  }
  yield* affine(weights, `${MODEL}.subsampling.affine`, width, CHANNELS * bands);
  yield* norm(weights, `${MODEL}.subsampling.norm`, width);
  yield positionTable(mostFrames, width);
  for (let layer = 0; layer < select_layer; layer++)
    yield* layerTensors(weights, `${MODEL}.encoder.layers.${layer}`, width, inner);
  yield* bookTensors(readKmeans(weights, entries, width), { entries, width, metric: 'euclidean' });
  yield* acousticTensors(weights, config.codec_config);
}

function* layerTensors(
  weights: Weights,
  name: string,
  width: number,
  inner: number,
): Generator<DeviceTensor> {
  yield* norm(weights, `${name}.norm1`, width);
  const packed = asStored(weights.tensor(`${name}.self_attn.in_proj_weight`, [3 * width, width]));
  const bias = weights.floats(`${name}.self_attn.in_proj_bias`, [3 * width]);
  for (const part of [0, 1, 2]) {
    const rows = packed.data.subarray(part * width * width, (part + 1) * width * width);
    yield createWeight(`${packed.name}[${part}]`, [width, width], packed.dtype, rows);
    yield bias.subarray(part * width, (part + 1) * width);
  }
  yield* affine(weights, `${name}.self_attn.out_proj`, width, width);
  yield* norm(weights, `${name}.norm2`, width);
  yield* affine(weights, `${name}.linear1`, inner, width);
  yield* affine(weights, `${name}.linear2`, width, inner);
  yield* norm(weights, `${name}.norm3`, width);
}

function* acousticTensors(
  weights: Weights,
  config: SpeechTokenizerConfig['codec_config'],
): Generator<DeviceTensor> {
  const { codec_dimension: width, codec_codebook_size: size, codec_codebook_search_dim: search } = config;
  let channels = config.encoder_dim;
  yield* convolution(weights, 'encoder.block.0', { inputs: 1, outputs: channels, kernel: 7 });
  for (const [b, stride] of config.codec_enc_ratios.entries()) {
    const name = `encoder.block.${b + 1}.block`;
    const alpha = (of: string) => weights.floats(`${name}.${of}.alpha`, [1, channels, 1]);
    for (const [i, dilation] of DILATIONS.entries()) {
      const same = { inputs: channels, outputs: channels, kernel: 7, dilation };
      yield alpha(`${i}.block.0`);
      yield* convolution(weights, `${name}.${i}.block.1`, same);
      yield alpha(`${i}.block.2`);
      yield* pointwise(weights, `${name}.${i}.block.3`, channels, channels);
    }
    yield alpha('3');
    const down = { inputs: channels, outputs: 2 * channels, kernel: 2 * stride };
    yield* convolution(weights, `${name}.4`, down);
    channels *= 2;
  }
  const after = config.codec_enc_ratios.length + 1;
  yield weights.floats(`encoder.block.${after}.alpha`, [1, channels, 1]);
  yield* convolution(weights, `encoder.block.${after + 1}`, { inputs: channels, outputs: width, kernel: 3 });
  const { outputs } = loadAcousticQuantizer(referenceOps, weights, config);
  for (let stage = 0; stage < config.codec_codebooks; stage++) {
    const name = `acoustic_quantizer.quantizers.${stage}`;
    for (const half of ['a', 'b']) yield* pointwise(weights, `${name}.in_proj_${half}`, search, width);
    for (const half of ['a', 'b']) {
      const codebook = weights.floats(`${name}.codebook_${half}.weight`, [size, search]);
      yield* bookTensors(codebook, { entries: size, width: search, metric: 'cosine' });
    }
    yield* outputs.slice(2 * stage, 2 * stage + 2);
  }
}

/** Searched in double precision: two floats' room a number. */
function* bookTensors(codebook: Float32Array, shape: VectorQuantizerShape): Generator<DeviceTensor> {
  const { rowsOf, squares } = searchableCodebook(codebook, shape);
  for (const values of [columnsOf(rowsOf, shape.entries), squares])
    yield new Float32Array(values.buffer, values.byteOffset, 2 * values.length);
}

function* norm(weights: Weights, name: string, width: number): Generator<DeviceTensor> {
  yield weights.floats(`${name}.weight`, [width]);
  yield weights.floats(`${name}.bias`, [width]);
}

function* affine(weights: Weights, name: string, outputs: number, inputs: number): Generator<DeviceTensor> {
  yield asStored(weights.tensor(`${name}.weight`, [outputs, inputs]));
  yield weights.floats(`${name}.bias`, [outputs]);
}

function* pointwise(
  weights: Weights,
  name: string,
  outputs: number,
  inputs: number,
): Generator<DeviceTensor> {
  yield { elements: outputs * inputs, make: () => foldedWeight(weights, name, [outputs, inputs, 1]) };
  yield weights.floats(`${name}.bias`, [outputs]);
}

function* convolution(weights: Weights, name: string, shape: Conv1dShape): Generator<DeviceTensor> {
  const { inputs, outputs, kernel } = shape;
  yield {
    elements: outputs * kernel * paddedChannels(inputs),
    make: () => weightByPaddedTap(foldedWeight(weights, name, [outputs, inputs, kernel]), shape),
  };
  yield weights.floats(`${name}.bias`, [outputs]);
}
