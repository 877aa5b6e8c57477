import type { Fsmn } from '../../fsmn/index.ts';
import type { Linear } from '../../linear/index.ts';
import type { Ops } from '../../ops.ts';
import type { Weights } from '../../weights/index.ts';
import { joinRows } from '../rows.ts';
import type { AudioEncoderNetwork } from './config.ts';

const EPS = 1e-5;

interface Norm {
  readonly weight: Float32Array;
  readonly bias: Float32Array;
}

/** What one stream keeps of one layer; replaced by every step, never changed in place. */
export interface FsmnState {
  /** g of the last `left` vectors that left the layer, then of those still waiting for their right context. */
  readonly g: Float32Array;
  /** The waiting vectors themselves. */
  readonly x: Float32Array;
}

/** One FSMN layer (docs/spec/model.md §3.4). */
export class FsmnLayer {
  readonly #ops: Ops;
  readonly #width: number;
  readonly #memoryNorm: Norm;
  readonly #memory: Fsmn;
  readonly #norm: Norm;
  readonly #widen: Linear;
  readonly #narrow: Linear;
  /** Context in vectors. */
  readonly #left: number;
  readonly #right: number;

  constructor(ops: Ops, weights: Weights, index: number, network: AudioEncoderNetwork) {
    const { proj_size: width, hidden_size: hidden, left_order: left, left_stride: dilation } = network;
    const looksAhead = index >= network.nlayer - network.num_right_layers;
    const right = looksAhead ? network.right_order : 0;
    const name = `fsmn_layers.${index}`;
    const norm = (part: string): Norm => ({
      weight: weights.floats(`${name}.${part}.weight`, [width]),
      bias: weights.floats(`${name}.${part}.bias`, [width]),
    });
    const linear = (part: string, outputs: number, inputs: number): Linear =>
      ops.linear(
        weights.tensor(`${name}.${part}.weight`, [outputs, inputs]),
        weights.floats(`${name}.${part}.bias`, [outputs]),
      );
    this.#ops = ops;
    this.#width = width;
    this.#memoryNorm = norm('memory_ln');
    this.#memory = ops.fsmn(weights.floats(`${name}.memory.weight`, [width, 1, left + 1 + right]), {
      width,
      left,
      right,
      dilation,
    });
    this.#norm = norm('ffn.0');
    this.#widen = linear('ffn.1', hidden, width);
    this.#narrow = linear('ffn.3', width, hidden);
    this.#left = left * dilation;
    this.#right = right * dilation;
  }

  /** Before the utterance g is zero. */
  initialState(): FsmnState {
    return { g: new Float32Array(this.#left * this.#width), x: new Float32Array(0) };
  }

  /**
   * Takes new vectors [rows × width] and gives those whose context is complete. With `flush` all of them: missing
   * right context is zero for them, but the state keeps the true g, so that a stream can go on afterwards.
   */
  step(state: FsmnState, rows: Float32Array, flush: boolean): { y: Float32Array; state: FsmnState } {
    const width = this.#width;
    const newRows = rows.length / width;
    const x = joinRows(state.x, rows);
    const { weight, bias } = this.#memoryNorm;
    const g = joinRows(state.g, this.#ops.layerNorm(rows, newRows, weight, bias, EPS));
    const present = x.length / width;
    const given = flush ? present : Math.max(0, present - this.#right);
    const context = flush ? joinRows(g, new Float32Array(this.#right * width)) : g;
    const y = this.#feedForward(this.#memory.apply(x, context, given), given);
    return { y, state: { g: g.slice(given * width), x: x.slice(given * width) } };
  }

  #feedForward(y: Float32Array, rows: number): Float32Array {
    const { weight, bias } = this.#norm;
    const wide = this.#widen.apply(this.#ops.layerNorm(y, rows, weight, bias, EPS), rows);
    return this.#ops.residual(y, this.#narrow.apply(this.#ops.relu6(wide, wide), rows));
  }
}
