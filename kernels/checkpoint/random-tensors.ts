import { createWeight, float32ToBfloat16, type Weight, type WeightType } from '../weights/index.ts';
import { TensorMaker } from './tensor-maker.ts';

/**
 * Draws the tensors of one file. Each tensor has a stream of its own, seeded by (seed, name), so that adding one does
 * not change the others; only integer arithmetic and additions, so that the bytes are the same on every machine.
 */
export class RandomTensors extends TensorMaker {
  readonly weights: Weight[] = [];
  readonly #seed: number;
  readonly #dtype: WeightType;

  /** `dtype` of the matrices, `f32` or `bf16`; vectors are always float32. */
  constructor(seed: number, dtype: 'f32' | 'bf16' = 'f32') {
    super();
    this.#seed = seed;
    this.#dtype = dtype;
  }

  add(
    name: string,
    shape: readonly number[],
    std: number,
    mean = 0,
    edit?: (values: Float32Array) => void,
  ): void {
    const count = shape.reduce((product, size) => product * size, 1);
    const next = uniformStream(this.#seed, name);
    const values = new Float32Array(count);
    // Four uniforms: variance 1/3, tails cut at ±2√3.
    for (let i = 0; i < count; i++)
      values[i] = mean + std * Math.sqrt(3) * (next() + next() + next() + next() - 2);
    edit?.(values);
    const isBfloat16 = this.#dtype === 'bf16' && shape.length > 1;
    const data = isBfloat16 ? float32ToBfloat16(values) : values;
    this.weights.push(createWeight(name, shape, isBfloat16 ? 'bf16' : 'f32', data));
  }
}

/** Uniform in [0, 1): a counter hashed by the finaliser of MurmurHash3. */
function uniformStream(seed: number, name: string): () => number {
  let state = mix(seed ^ 0x9e3779b9);
  for (let i = 0; i < name.length; i++) state = mix(state ^ name.charCodeAt(i));
  return () => {
    state = (state + 0x9e3779b9) | 0;
    return (mix(state) >>> 0) / 2 ** 32;
  };
}

function mix(value: number): number {
  let hash = value | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
