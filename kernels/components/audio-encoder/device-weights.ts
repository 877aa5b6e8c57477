import { kernelByTap } from '../../fsmn/cpu.ts';
import { asStored } from '../../native/cuda/device.ts';
import type { Weights } from '../../weights/index.ts';
import type { DeviceTensor } from '../device-tensors.ts';
import type { AudioEncoderNetwork } from './config.ts';

/** Everything that a device holds of an encoder, in the order in which native/cuda/audio-encoder.cpp takes it. */
export function* deviceTensors(
  network: AudioEncoderNetwork,
  encoder: Weights,
  projector: Weights,
): Generator<DeviceTensor> {
  const { input_size: inputs, hidden_size: hidden, proj_size: width, proj_output_dim: projected } = network;
  yield* affine(encoder, 'ffn.0', hidden, inputs);
  yield asStored(encoder.tensor('ffn.2.weight', [width, hidden]));
  for (let layer = 0; layer < network.nlayer; layer++) yield* layerTensors(encoder, network, layer);
  for (let i = 0; i < network.ndnn; i++)
    yield* affine(encoder, `dnn.${2 * i}`, hidden, i === 0 ? width : hidden);
  yield* affine(projector, '0', projected, hidden);
  yield* affine(projector, '2', projected, projected);
  if (encoder.has('output.weight')) yield* affine(encoder, 'output', network.vocab_size, hidden);
}

function* layerTensors(
  weights: Weights,
  network: AudioEncoderNetwork,
  layer: number,
): Generator<DeviceTensor> {
  const { hidden_size: hidden, proj_size: width, left_order: left } = network;
  const name = `fsmn_layers.${layer}`;
  const right = layer >= network.nlayer - network.num_right_layers ? network.right_order : 0;
  yield* norm(weights, `${name}.memory_ln`, width);
  const kernel = weights.floats(`${name}.memory.weight`, [width, 1, left + 1 + right]);
  yield kernelByTap(kernel, width);
  yield* norm(weights, `${name}.ffn.0`, width);
  yield* affine(weights, `${name}.ffn.1`, hidden, width);
  yield* affine(weights, `${name}.ffn.3`, width, hidden);
}

function* norm(weights: Weights, name: string, width: number): Generator<DeviceTensor> {
  yield weights.floats(`${name}.weight`, [width]);
  yield weights.floats(`${name}.bias`, [width]);
}

function* affine(weights: Weights, name: string, outputs: number, inputs: number): Generator<DeviceTensor> {
  yield asStored(weights.tensor(`${name}.weight`, [outputs, inputs]));
  yield weights.floats(`${name}.bias`, [outputs]);
}
