/**
 * A gated recurrent unit that tells speech from other sound, a frame at a time (Cho et al. 2014, arXiv 1406.1078, section 2.3, in PyTorch's
 * arrangement). Its weights are made by train/speech_detector. Plain arithmetic in one order, so that every machine hears the same.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PACKAGE_ROOT } from '../../kernels/package-root.ts';

interface Matrix {
  readonly scale: number;
  /** 16-bit, base64. */
  readonly codes: string;
}

interface NetworkWeights {
  readonly hidden: number;
  readonly weight_ih: Matrix;
  readonly weight_hh: Matrix;
  readonly bias_ih: Matrix;
  readonly bias_hh: Matrix;
  readonly out_weight: Matrix;
  readonly out_bias: Matrix;
}

const WEIGHTS: NetworkWeights = JSON.parse(
  readFileSync(join(PACKAGE_ROOT, 'actors/perceive/speech-network.json'), 'utf8'),
);
const HIDDEN = WEIGHTS.hidden;
/** Rows in the order of the gates: reset, update, new. */
const [OF_INPUT, OF_STATE] = [values(WEIGHTS.weight_ih), values(WEIGHTS.weight_hh)];
const [INPUT_BIAS, STATE_BIAS] = [values(WEIGHTS.bias_ih), values(WEIGHTS.bias_hh)];
const [OUT, [OUT_BIAS]] = [values(WEIGHTS.out_weight), values(WEIGHTS.out_bias)];

export class SpeechNetwork {
  readonly #state = new Float64Array(HIDDEN);
  readonly #next = new Float64Array(HIDDEN);

  /** Features of one more frame (`SoundFeatures`) → probability that it is speech. */
  frame(features: Float64Array): number {
    const state = this.#state;
    for (let unit = 0; unit < HIDDEN; unit++) {
      const reset = sigmoid(
        row(OF_INPUT, unit, features, INPUT_BIAS) + row(OF_STATE, unit, state, STATE_BIAS),
      );
      const update = sigmoid(
        row(OF_INPUT, HIDDEN + unit, features, INPUT_BIAS) + row(OF_STATE, HIDDEN + unit, state, STATE_BIAS),
      );
      const fresh = Math.tanh(
        row(OF_INPUT, 2 * HIDDEN + unit, features, INPUT_BIAS) +
          reset * row(OF_STATE, 2 * HIDDEN + unit, state, STATE_BIAS),
      );
      this.#next[unit] = fresh + update * (state[unit] - fresh);
    }
    state.set(this.#next);
    let score = OUT_BIAS;
    for (let unit = 0; unit < HIDDEN; unit++) score += OUT[unit] * state[unit];
    return sigmoid(score);
  }
}

function row(matrix: Float64Array, index: number, by: Float64Array, bias: Float64Array): number {
  let sum = bias[index];
  for (let i = 0, at = index * by.length; i < by.length; i++, at++) sum += matrix[at] * by[i];
  return sum;
}

function sigmoid(value: number): number {
  return 1 / (1 + Math.exp(-value));
}

function values({ scale, codes }: Matrix): Float64Array {
  const bytes = Buffer.from(codes, 'base64');
  return Float64Array.from({ length: bytes.length / 2 }, (_, i) => bytes.readInt16LE(2 * i) * scale);
}
