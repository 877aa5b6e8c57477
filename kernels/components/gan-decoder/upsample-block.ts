import type { ConvTranspose1d } from '../../conv-transpose1d/index.ts';
import type { Conv1d } from '../../conv1d/index.ts';
import type { Ops } from '../../ops.ts';
import { hostMemory } from '../../tensor-memory.ts';
import type { Weights } from '../../weights/index.ts';
import { foldedWeight, normalizedConv1d } from '../weight-norm.ts';
import { Workspace } from '../workspace.ts';
import { type ConvState, streamedConv1d, zeroHistory } from './streamed-conv1d.ts';

export const UNIT_KERNEL = 7;
export const DILATIONS = [1, 3, 9];

interface ResidualUnit {
  readonly alphaBefore: Float32Array;
  readonly dilated: Conv1d;
  readonly alphaAfter: Float32Array;
  readonly pointwise: Conv1d;
}

/** Snake → transposed convolution without overlap → three causal residual units (docs/spec/model.md §4.5, step 4). */
export class UpsampleBlock {
  readonly inputs: number;
  readonly #ops: Ops;
  readonly #alpha: Float32Array;
  readonly #upsample: ConvTranspose1d;
  readonly #units: readonly ResidualUnit[];
  readonly #workspace = new Workspace(hostMemory);

  constructor(
    ops: Ops,
    weights: Weights,
    name: string,
    shape: { readonly inputs: number; readonly outputs: number; readonly stride: number },
  ) {
    const { inputs, outputs, stride } = shape;
    this.inputs = inputs;
    this.#ops = ops;
    this.#alpha = weights.floats(`${name}.block.0.alpha`, [1, inputs, 1]);
    this.#upsample = ops.convTranspose1d(
      foldedWeight(weights, `${name}.block.1`, [inputs, outputs, stride]),
      weights.floats(`${name}.block.1.bias`, [outputs]),
      shape,
    );
    this.#units = DILATIONS.map((dilation, i) => {
      const unit = `${name}.block.${i + 2}.block`;
      const conv = { inputs: outputs, outputs };
      return {
        alphaBefore: weights.floats(`${unit}.0.alpha`, [1, outputs, 1]),
        dilated: normalizedConv1d(ops, weights, `${unit}.2`, { ...conv, kernel: UNIT_KERNEL, dilation }),
        alphaAfter: weights.floats(`${unit}.3.alpha`, [1, outputs, 1]),
        pointwise: normalizedConv1d(ops, weights, `${unit}.4`, { ...conv, kernel: 1 }),
      };
    });
  }

  /** Per unit the last 6·dilation rows after the first Snake. */
  initialState(): ConvState[] {
    return this.#units.map(unit => zeroHistory(unit.dilated));
  }

  /**
   * The next rows of several streams, one stream's after the other: x [Σ rows × inputs], overwritten → [Σ rows·stride ×
   * outputs], which holds until the next step. `states` and `rows` are per stream.
   */
  step(states: readonly (readonly ConvState[])[], x: Float32Array, rows: readonly number[]): Float32Array {
    const { stride, outputs, inputs } = this.#upsample;
    const all = x.length / inputs;
    const samples = all * stride;
    const take = (name: string) => this.#workspace.take(name, samples * outputs);
    const y = this.#upsample.apply(this.#ops.snake(x, all, this.#alpha, x), all, take('y'));
    this.#units.forEach(({ alphaBefore, dilated, alphaAfter, pointwise }, i) => {
      const filtered = take('filtered');
      let at = 0;
      states.forEach((state, s) => {
        const own = rows[s] * stride;
        const from = y.subarray(at, at + own * outputs);
        const bend = (room: Float32Array) => this.#ops.snake(from, own, alphaBefore, room);
        streamedConv1d(
          dilated,
          state[i],
          own,
          bend,
          this.#workspace,
          filtered.subarray(at, at + from.length),
        );
        at += from.length;
      });
      this.#ops.snake(filtered, samples, alphaAfter, filtered);
      this.#ops.residual(y, pointwise.apply(filtered, samples, take('branch')));
    });
    return y;
  }
}
