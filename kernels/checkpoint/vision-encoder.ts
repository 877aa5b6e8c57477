import type { Weight } from '../weights/index.ts';
import type { Dimensions } from './dimensions.ts';
import { RandomTensors } from './random-tensors.ts';
import type { TensorMaker } from './tensor-maker.ts';

/** A GELU roughly halves the power of its input. */
const GELU_GAIN = Math.SQRT2;

/** `vision/vision_model.safetensors` (docs/spec/model.md §2.7). */
export function visionModelWeights({ vision }: Dimensions, seed: number): Weight[] {
  const tensors = new RandomTensors(seed);
  addVisionModel(tensors, vision);
  return tensors.weights;
}

export type VisionSizes = Pick<
  Dimensions['vision'],
  | 'hidden_size'
  | 'num_hidden_layers'
  | 'intermediate_size'
  | 'patch_size'
  | 'temporal_patch_size'
  | 'num_channels'
  | 'qk_normalization'
  | 'qkv_bias'
  | 'patch_embedding_bias'
  | 'adaptor_dim'
  | 'proj_output_dim'
>;

export function addVisionModel(tensors: TensorMaker, c: VisionSizes): void {
  const { hidden_size: hidden, patch_size: patch } = c;
  const inner = Math.floor((c.intermediate_size * 2) / 3);
  const kernel = [hidden, c.num_channels, c.temporal_patch_size, patch, patch];
  tensors.linear('embeddings.patch_embedding.weight', kernel);
  if (c.patch_embedding_bias) tensors.bias('embeddings.patch_embedding.bias', hidden);
  for (let i = 0; i < c.num_hidden_layers; i++) {
    const name = `encoder.layers.${i}`;
    tensors.norm(`${name}.norm1`, hidden);
    tensors.norm(`${name}.norm2`, hidden);
    tensors.add(`${name}.ls1`, [hidden], 0.02, 0.1);
    tensors.add(`${name}.ls2`, [hidden], 0.02, 0.1);
    tensors.linear(`${name}.attn.qkv.weight`, [3 * hidden, hidden]);
    tensors.linearWithBias(`${name}.attn.proj`, [hidden, hidden]);
    if (c.qkv_bias) tensors.bias(`${name}.attn.qkv.bias`, 3 * hidden);
    if (c.qk_normalization) for (const side of ['q', 'k']) tensors.norm(`${name}.attn.${side}_norm`, hidden);
    tensors.linearWithBias(`${name}.mlp.fc1`, [inner, hidden]);
    tensors.linearWithBias(`${name}.mlp.fc3`, [inner, hidden]);
    tensors.norm(`${name}.mlp.norm`, inner);
    tensors.linearWithBias(`${name}.mlp.fc2`, [hidden, inner]);
  }
}

/** `vision/vision_projector.safetensors`. */
export function visionProjectorWeights({ vision }: Dimensions, seed: number): Weight[] {
  const tensors = new RandomTensors(seed);
  addVisionProjector(tensors, vision);
  return tensors.weights;
}

export function addVisionProjector(tensors: TensorMaker, c: VisionSizes): void {
  const merged = 2 * c.hidden_size;
  tensors.norm('p0.0', merged, true);
  tensors.linearWithBias('p0.1', [c.adaptor_dim, merged], GELU_GAIN);
  tensors.linearWithBias('p0.3', [c.adaptor_dim, c.adaptor_dim], GELU_GAIN);
  tensors.linearWithBias('proj', [c.proj_output_dim, c.adaptor_dim]);
}
