/**
 * A gated recurrent unit that tells speech from other sound, a frame at a time (Cho et al. 2014, arXiv 1406.1078,
 * section 2.3, in PyTorch's arrangement). Its weights are made by train/speech_detector. Plain arithmetic in one order,
 * so that every machine hears the same.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { opsOf } from '../../kernels/engine/index.ts';
import type { DoubleLinear } from '../../kernels/double-linear/index.ts';
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
/** Of all calls; made for the first. */
let gates: { readonly ofInput: DoubleLinear; readonly ofState: DoubleLinear } | null = null;

function makeGates() {
  const { doubleLinear } = opsOf('auto');
  return {
    ofInput: doubleLinear(values(WEIGHTS.weight_ih), values(WEIGHTS.bias_ih)),
    ofState: doubleLinear(values(WEIGHTS.weight_hh), values(WEIGHTS.bias_hh)),
  };
}

const [OUT, [OUT_BIAS]] = [values(WEIGHTS.out_weight), values(WEIGHTS.out_bias)];

export class SpeechNetwork {
  readonly #gates = (gates ??= makeGates());
  readonly #state = new Float64Array(HIDDEN);
  readonly #ofInput = new Float64Array(3 * HIDDEN);
  readonly #ofState = new Float64Array(3 * HIDDEN);

  /** Features of one more frame (`SoundFeatures`) → probability that it is speech. */
  frame(features: Float64Array): number {
    const state = this.#state;
    const ofInput = this.#gates.ofInput.apply(features, this.#ofInput);
    const ofState = this.#gates.ofState.apply(state, this.#ofState);
    for (let unit = 0; unit < HIDDEN; unit++) {
      const reset = sigmoid(ofInput[unit] + ofState[unit]);
      const update = sigmoid(ofInput[HIDDEN + unit] + ofState[HIDDEN + unit]);
      const fresh = Math.tanh(ofInput[2 * HIDDEN + unit] + reset * ofState[2 * HIDDEN + unit]);
      state[unit] = fresh + update * (state[unit] - fresh);
    }
    let score = OUT_BIAS;
    for (let unit = 0; unit < HIDDEN; unit++) score += OUT[unit] * state[unit];
    return sigmoid(score);
  }
}

function sigmoid(value: number): number {
  return 1 / (1 + Math.exp(-value));
}

function values({ scale, codes }: Matrix): Float64Array {
  const bytes = Buffer.from(codes, 'base64');
  return Float64Array.from({ length: bytes.length / 2 }, (_, i) => bytes.readInt16LE(2 * i) * scale);
}
