import type { Conv2d } from '../../conv2d/index.ts';
import type { Linear } from '../../linear/index.ts';
import type { Ops } from '../../ops.ts';
import { createWeight, type Weights } from '../../weights/index.ts';
import type { SpeechTokenizerConfig } from '../codec-config.ts';
import { padRows } from '../rows.ts';

export const MODEL = 'semantic_tokenizer.model';
const EPS = 1e-5;
export const CHANNELS = 32;
export const KERNEL = 3;
/** Rows of zeros before each convolution. */
const LEFT_PADDING = 2;
const POSITION_BASE = 10000;

type TransformerConfig = SpeechTokenizerConfig['semantic_tokenizer']['encoder']['VGGtf_encoder'];

interface Norm {
  readonly weight: Float32Array;
  readonly bias: Float32Array;
}

interface Layer {
  readonly norm1: Norm;
  readonly q: Linear;
  readonly k: Linear;
  readonly v: Linear;
  readonly out: Linear;
  readonly norm2: Norm;
  readonly widen: Linear;
  readonly narrow: Linear;
  readonly norm3: Norm;
}

/** From normalised filter-bank frames to one vector per code frame (docs/spec/model.md §4.2). */
export class SemanticEncoder {
  readonly width: number;
  readonly #ops: Ops;
  readonly #heads: number;
  readonly #convolutions: readonly Conv2d[];
  readonly #affine: Linear;
  readonly #norm: Norm;
  readonly #layers: readonly Layer[];

  /** `layers`: how many to run; the codes are read from the output of the last one. */
  constructor(
    ops: Ops,
    weights: Weights,
    config: TransformerConfig,
    strides: readonly number[],
    layers: number,
  ) {
    const width = config.d_model;
    this.width = width;
    this.#ops = ops;
    this.#heads = config.nhead;
    let bands = config.feat_dim;
    this.#convolutions = strides.map((timeStride, i) => {
      const shape = { inputs: i === 0 ? 1 : CHANNELS, outputs: CHANNELS, kernel: KERNEL, bands, timeStride };
      const name = `${MODEL}.subsampling.conv.subsampling/conv${i}`;
      const weight = weights.floats(`${name}.weight`, [CHANNELS, shape.inputs, KERNEL, KERNEL]);
      bands -= KERNEL - 1;
      return ops.conv2d(weight, weights.floats(`${name}.bias`, [CHANNELS]), shape);
    });
    this.#affine = loadLinear(ops, weights, `${MODEL}.subsampling.affine`, width, CHANNELS * bands);
    this.#norm = loadNorm(weights, `${MODEL}.subsampling.norm`, width);
    this.#layers = Array.from({ length: layers }, (_, i) =>
      loadLayer(ops, weights, `${MODEL}.encoder.layers.${i}`, width, config.dim_feedforward),
    );
  }

  /** [rows × feat_dim] → [frames × width] */
  apply(features: Float32Array): Float32Array {
    const x = this.#subsample(features);
    const frames = x.length / this.width;
    for (const layer of this.#layers) this.#applyLayer(layer, x, frames);
    return x;
  }

  #subsample(features: Float32Array): Float32Array {
    let x = features;
    for (const convolution of this.#convolutions) {
      const rowWidth = convolution.shape.inputs * convolution.shape.bands;
      const padded = padRows(x, rowWidth, LEFT_PADDING, 0);
      x = convolution.apply(padded, padded.length / rowWidth);
      for (let i = 0; i < x.length; i++) if (x[i] < 0) x[i] = 0;
    }
    const frames = x.length / this.#affine.inputs;
    const y = this.#affine.apply(x, frames);
    this.#normalize(y, frames, this.#norm, y);
    addPositions(y, frames, this.width);
    return y;
  }

  #applyLayer(layer: Layer, x: Float32Array, frames: number): void {
    const headWidth = this.width / this.#heads;
    const u = this.#normalize(x, frames, layer.norm1);
    const [q, k, v] = [layer.q, layer.k, layer.v].map(linear => linear.apply(u, frames));
    const attended = this.#ops.attention(q, k, v, frames, this.#heads, headWidth, 1 / Math.sqrt(headWidth));
    this.#ops.residual(x, layer.out.apply(attended, frames));
    const wide = layer.widen.apply(this.#normalize(x, frames, layer.norm2), frames);
    this.#ops.residual(x, layer.narrow.apply(this.#ops.gelu(wide, wide), frames));
    this.#normalize(x, frames, layer.norm3, x);
  }

  #normalize(x: Float32Array, rows: number, norm: Norm, out?: Float32Array): Float32Array {
    return this.#ops.layerNorm(x, rows, norm.weight, norm.bias, EPS, out);
  }
}

/** x·√width plus sines on even and cosines on odd components. */
function addPositions(x: Float32Array, frames: number, width: number): void {
  const scale = Math.sqrt(width);
  for (let t = 0; t < frames; t++) {
    for (let i = 0; i < width; i++) x[t * width + i] = x[t * width + i] * scale + positionValue(t, i, width);
  }
}

function positionValue(t: number, i: number, width: number): number {
  const angle = t * POSITION_BASE ** (-(i - (i % 2)) / width);
  return i % 2 === 0 ? Math.sin(angle) : Math.cos(angle);
}

/** What is added to frame 0, 1, … [frames × width]. */
export const positionTable = (frames: number, width: number): Float32Array =>
  Float32Array.from({ length: frames * width }, (_, n) =>
    positionValue(Math.floor(n / width), n % width, width),
  );

const loadNorm = (weights: Weights, name: string, width: number): Norm => ({
  weight: weights.floats(`${name}.weight`, [width]),
  bias: weights.floats(`${name}.bias`, [width]),
});

const loadLinear = (ops: Ops, weights: Weights, name: string, outputs: number, inputs: number): Linear =>
  ops.linear(weights.tensor(`${name}.weight`, [outputs, inputs]), weights.floats(`${name}.bias`, [outputs]));

function loadLayer(ops: Ops, weights: Weights, name: string, width: number, inner: number): Layer {
  const packed = weights.tensor(`${name}.self_attn.in_proj_weight`, [3 * width, width]);
  const bias = weights.floats(`${name}.self_attn.in_proj_bias`, [3 * width]);
  // The checkpoint packs the rows of q, k and v into one matrix.
  const part = (n: number): Linear => {
    const rows = packed.data.subarray(n * width * width, (n + 1) * width * width);
    const weight = createWeight(`${packed.name}[${n}]`, [width, width], packed.dtype, rows);
    return ops.linear(weight, bias.subarray(n * width, (n + 1) * width));
  };
  return {
    norm1: loadNorm(weights, `${name}.norm1`, width),
    q: part(0),
    k: part(1),
    v: part(2),
    out: loadLinear(ops, weights, `${name}.self_attn.out_proj`, width, width),
    norm2: loadNorm(weights, `${name}.norm2`, width),
    widen: loadLinear(ops, weights, `${name}.linear1`, inner, width),
    narrow: loadLinear(ops, weights, `${name}.linear2`, width, inner),
    norm3: loadNorm(weights, `${name}.norm3`, width),
  };
}
