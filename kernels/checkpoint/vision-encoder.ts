import type { Weight } from '../weights/index.ts';
import type { Dimensions } from './dimensions.ts';
import { RandomTensors } from './random-tensors.ts';

/** A GELU roughly halves the power of its input. */
const GELU_GAIN = Math.SQRT2;

/** `vision/vision_model.safetensors` (docs/spec/model.md §2.7). */
export function visionModelWeights({ vision: c }: Dimensions, seed: number): Weight[] {
  const tensors = new RandomTensors(seed);
  const { hidden_size: hidden, patch_size: patch } = c;
  const inner = Math.floor((c.intermediate_size * 2) / 3);
  const kernel = [hidden, c.num_channels, c.temporal_patch_size, patch, patch];
  tensors.linearWithBias('embeddings.patch_embedding', kernel);
  for (let i = 0; i < c.num_hidden_layers; i++) {
    const name = `encoder.layers.${i}`;
    tensors.norm(`${name}.norm1`, hidden);
    tensors.norm(`${name}.norm2`, hidden);
    tensors.add(`${name}.ls1`, [hidden], 0.02, 0.1);
    tensors.add(`${name}.ls2`, [hidden], 0.02, 0.1);
    tensors.linear(`${name}.attn.qkv.weight`, [3 * hidden, hidden]);
    tensors.linearWithBias(`${name}.attn.proj`, [hidden, hidden]);
    tensors.norm(`${name}.attn.q_norm`, hidden);
    tensors.norm(`${name}.attn.k_norm`, hidden);
    tensors.linearWithBias(`${name}.mlp.fc1`, [inner, hidden]);
    tensors.linearWithBias(`${name}.mlp.fc3`, [inner, hidden]);
    tensors.norm(`${name}.mlp.norm`, inner);
    tensors.linearWithBias(`${name}.mlp.fc2`, [hidden, inner]);
  }
  return tensors.weights;
}

/** `vision/vision_projector.safetensors`. */
export function visionProjectorWeights({ vision: c }: Dimensions, seed: number): Weight[] {
  const tensors = new RandomTensors(seed);
  const merged = 2 * c.hidden_size;
  tensors.norm('p0.0', merged, true);
  tensors.linearWithBias('p0.1', [c.adaptor_dim, merged], GELU_GAIN);
  tensors.linearWithBias('p0.3', [c.adaptor_dim, c.adaptor_dim], GELU_GAIN);
  tensors.linearWithBias('proj', [c.proj_output_dim, c.adaptor_dim]);
  return tensors.weights;
}
