import { asStored } from '../../native/cuda/device.ts';
import { turnTable } from '../../rotary-2d/cpu.ts';
import type { Weights } from '../../weights/index.ts';
import type { DeviceTensor } from '../device-tensors.ts';
import type { VisionConfig } from './config.ts';
import { summedOverFrames } from './equal-frames.ts';

/**
 * Everything that a device holds of an encoder, in the order in which native/cuda/vision-encoder.cpp takes it.
 * @param positions rows or columns that a unit may have
 */
export function* deviceTensors(
  config: VisionConfig,
  positions: number,
  model: Weights,
  projector: Weights,
): Generator<DeviceTensor> {
  const { hidden, headDim, frames, patch, adaptor, output } = config;
  yield turnTable(positions, headDim / 4, config.ropeBase);
  const kernel = model.tensor('embeddings.patch_embedding.weight', [hidden, 3, frames, patch, patch]);
  for (const weight of [asStored(kernel), summedOverFrames(kernel)]) {
    yield weight;
    if (config.patchBias) yield model.floats('embeddings.patch_embedding.bias', [hidden]);
  }
  for (let layer = 0; layer < config.layers; layer++)
    yield* blockTensors(config, model, `encoder.layers.${layer}.`);
  yield* affine(projector, 'p0.0', [2 * hidden]);
  yield* affine(projector, 'p0.1', [adaptor, 2 * hidden]);
  yield* affine(projector, 'p0.3', [adaptor, adaptor]);
  yield* affine(projector, 'proj', [output, adaptor]);
}

function* blockTensors(config: VisionConfig, weights: Weights, prefix: string): Generator<DeviceTensor> {
  const { hidden, intermediate } = config;
  const vector = (name: string, length = hidden) => weights.floats(prefix + name, [length]);
  yield vector('norm1.weight');
  yield asStored(weights.tensor(`${prefix}attn.qkv.weight`, [3 * hidden, hidden]));
  if (config.qkvBias) yield vector('attn.qkv.bias', 3 * hidden);
  if (config.normaliseQk) yield* [vector('attn.q_norm.weight'), vector('attn.k_norm.weight')];
  yield* affine(weights, `${prefix}attn.proj`, [hidden, hidden]);
  yield vector('ls1');
  yield vector('norm2.weight');
  yield* affine(weights, `${prefix}mlp.fc1`, [intermediate, hidden]);
  yield* affine(weights, `${prefix}mlp.fc3`, [intermediate, hidden]);
  yield vector('mlp.norm.weight', intermediate);
  yield* affine(weights, `${prefix}mlp.fc2`, [hidden, intermediate]);
  yield vector('ls2');
}

/** A matrix, or a norm's vector, and its bias. */
function* affine(weights: Weights, name: string, shape: readonly number[]): Generator<DeviceTensor> {
  const weight = `${name}.weight`;
  yield shape.length === 1 ? weights.floats(weight, shape) : asStored(weights.tensor(weight, shape));
  yield weights.floats(`${name}.bias`, [shape[0]]);
}
