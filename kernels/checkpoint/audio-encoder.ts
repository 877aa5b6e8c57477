import type { Weight } from '../weights/index.ts';
import type { Dimensions } from './dimensions.ts';
import { RandomTensors } from './random-tensors.ts';
import type { TensorMaker } from './tensor-maker.ts';

/** A ReLU halves the power of its input. */
const RELU_GAIN = Math.SQRT2;

/** `audio/audio_encoder.safetensors` (docs/spec/model.md §3.5), without the CTC head. */
export function audioEncoderWeights({ audioEncoder }: Dimensions, seed: number): Weight[] {
  const tensors = new RandomTensors(seed);
  addAudioEncoder(tensors, audioEncoder);
  return tensors.weights;
}

export type AudioEncoderSizes = Pick<
  Dimensions['audioEncoder'],
  | 'input_size'
  | 'hidden_size'
  | 'proj_size'
  | 'nlayer'
  | 'num_right_layers'
  | 'left_order'
  | 'right_order'
  | 'ndnn'
  | 'proj_output_dim'
>;

export function addAudioEncoder(tensors: TensorMaker, c: AudioEncoderSizes): void {
  const { hidden_size: hidden, proj_size: width, left_order: left } = c;
  tensors.linearWithBias('ffn.0', [hidden, c.input_size]);
  tensors.linear('ffn.2.weight', [width, hidden], RELU_GAIN);
  for (let i = 0; i < c.nlayer; i++) {
    const right = i >= c.nlayer - c.num_right_layers ? c.right_order : 0;
    const name = `fsmn_layers.${i}`;
    tensors.norm(`${name}.memory_ln`, width, true);
    tensors.linear(`${name}.memory.weight`, [width, 1, left + 1 + right]);
    tensors.norm(`${name}.ffn.0`, width, true);
    tensors.linearWithBias(`${name}.ffn.1`, [hidden, width]);
    tensors.linearWithBias(`${name}.ffn.3`, [width, hidden], RELU_GAIN);
  }
  for (let i = 0; i < c.ndnn; i++)
    tensors.linearWithBias(`dnn.${2 * i}`, [hidden, i === 0 ? width : hidden], RELU_GAIN);
}

/** `audio/audio_projector.safetensors`. */
export function audioProjectorWeights({ audioEncoder }: Dimensions, seed: number): Weight[] {
  const tensors = new RandomTensors(seed);
  addAudioProjector(tensors, audioEncoder);
  return tensors.weights;
}

export function addAudioProjector(tensors: TensorMaker, c: AudioEncoderSizes): void {
  tensors.linearWithBias('0', [c.proj_output_dim, c.hidden_size], RELU_GAIN);
  tensors.linearWithBias('2', [c.proj_output_dim, c.proj_output_dim], RELU_GAIN);
}
