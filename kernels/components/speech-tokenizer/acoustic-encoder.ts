import type { Conv1d } from '../../conv1d/index.ts';
import type { Ops } from '../../ops.ts';
import type { Weights } from '../../weights/index.ts';
import type { SpeechTokenizerConfig } from '../codec-config.ts';
import { padRows } from '../rows.ts';
import { normalizedConv1d } from '../weight-norm.ts';

export const DILATIONS = [1, 3, 9];

interface ResidualUnit {
  readonly alphaBefore: Float32Array;
  readonly dilated: Conv1d;
  readonly alphaAfter: Float32Array;
  readonly pointwise: Conv1d;
}

interface DownsampleBlock {
  readonly units: readonly ResidualUnit[];
  readonly alpha: Float32Array;
  readonly down: Conv1d;
  /** Zeros on either side of the strided convolution. */
  readonly padding: number;
}

/** From a waveform to one latent per code frame (docs/spec/model.md §4.3). Not causal: it sees the whole utterance. */
export class AcousticEncoder {
  readonly #ops: Ops;
  readonly #first: Conv1d;
  readonly #blocks: readonly DownsampleBlock[];
  readonly #alpha: Float32Array;
  readonly #last: Conv1d;

  constructor(ops: Ops, weights: Weights, config: SpeechTokenizerConfig['codec_config']) {
    let channels = config.encoder_dim;
    this.#ops = ops;
    this.#first = normalizedConv1d(ops, weights, 'encoder.block.0', {
      inputs: 1,
      outputs: channels,
      kernel: 7,
    });
    this.#blocks = config.codec_enc_ratios.map((stride, b) => {
      const block = loadBlock(ops, weights, `encoder.block.${b + 1}.block`, channels, stride);
      channels *= 2;
      return block;
    });
    const after = config.codec_enc_ratios.length + 1;
    this.#alpha = weights.floats(`encoder.block.${after}.alpha`, [1, channels, 1]);
    this.#last = normalizedConv1d(ops, weights, `encoder.block.${after + 1}`, {
      inputs: channels,
      outputs: config.codec_dimension,
      kernel: 3,
    });
  }

  /** 16 kHz samples, a multiple of the frame's → [frames × codec_dimension]. */
  apply(samples: Float32Array): Float32Array {
    let x = centred(this.#first, samples);
    for (const { units, alpha, down, padding } of this.#blocks) {
      for (const unit of units) this.#addUnit(unit, x);
      const width = alpha.length;
      const bent = padRows(this.#ops.snake(x, x.length / width, alpha, x), width, padding, padding);
      x = down.apply(bent, bent.length / width);
    }
    return centred(this.#last, this.#ops.snake(x, x.length / this.#alpha.length, this.#alpha, x));
  }

  #addUnit({ alphaBefore, dilated, alphaAfter, pointwise }: ResidualUnit, x: Float32Array): void {
    const rows = x.length / alphaBefore.length;
    const filtered = centred(dilated, this.#ops.snake(x, rows, alphaBefore));
    this.#ops.residual(x, pointwise.apply(this.#ops.snake(filtered, rows, alphaAfter, filtered), rows));
  }
}

function loadBlock(
  ops: Ops,
  weights: Weights,
  name: string,
  channels: number,
  stride: number,
): DownsampleBlock {
  const same = { inputs: channels, outputs: channels };
  return {
    units: DILATIONS.map((dilation, i) => ({
      alphaBefore: weights.floats(`${name}.${i}.block.0.alpha`, [1, channels, 1]),
      dilated: normalizedConv1d(ops, weights, `${name}.${i}.block.1`, { ...same, kernel: 7, dilation }),
      alphaAfter: weights.floats(`${name}.${i}.block.2.alpha`, [1, channels, 1]),
      pointwise: normalizedConv1d(ops, weights, `${name}.${i}.block.3`, { ...same, kernel: 1 }),
    })),
    alpha: weights.floats(`${name}.3.alpha`, [1, channels, 1]),
    down: normalizedConv1d(ops, weights, `${name}.4`, {
      inputs: channels,
      outputs: 2 * channels,
      kernel: 2 * stride,
      stride,
    }),
    padding: Math.ceil(stride / 2),
  };
}

/** "Same" padding: as many rows out as in, every window centred. */
function centred(conv: Conv1d, x: Float32Array): Float32Array {
  const padding = (conv.span - 1) / 2;
  const padded = padRows(x, conv.shape.inputs, padding, padding);
  return conv.apply(padded, padded.length / conv.shape.inputs);
}
