import type { Fsmn } from '../../fsmn/index.ts';
import type { Linear } from '../../linear/index.ts';
import type { Ops } from '../../ops.ts';
import type { Weights } from '../../weights/index.ts';
import type { Workspace } from '../workspace.ts';
import type { AudioEncoderNetwork } from './config.ts';

const EPS = 1e-5;
const NOTHING = new Float32Array(0);

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

/** One stream on its way through the layers. */
export interface LayerRun {
  readonly flush: boolean;
  /** Vectors that come to the next layer. */
  rows: number;
  /** Of each layer; the run's own list. */
  readonly states: FsmnState[];
}

/** One FSMN layer (docs/spec/model.md §3.4). */
export class FsmnLayer {
  readonly #ops: Ops;
  readonly #workspace: Workspace;
  readonly #width: number;
  readonly #memoryNorm: Norm;
  readonly #memory: Fsmn;
  readonly #norm: Norm;
  readonly #widen: Linear;
  readonly #narrow: Linear;
  /** Context in vectors. */
  readonly #left: number;
  readonly #right: number;

  constructor(ops: Ops, weights: Weights, index: number, network: AudioEncoderNetwork, workspace: Workspace) {
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
    this.#workspace = workspace;
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
   * Takes the next vectors of several streams, one stream's after the other [Σ rows × width], and gives those whose
   * context is complete in the same order; `rows` of each run says how many. With `flush` all of a stream's: missing
   * right context is zero for them, but the state keeps the true g, so that a stream can go on afterwards. The result
   * holds until the layer after next.
   */
  step(runs: readonly LayerRun[], layer: number, x: Float32Array): Float32Array {
    const width = this.#width;
    const { weight, bias } = this.#memoryNorm;
    const g = this.#take('g', x.length);
    this.#ops.layerNorm(x, x.length / width, weight, bias, EPS, g);
    const waiting = runs.reduce((sum, { states }) => sum + states[layer].x.length, 0);
    const y = this.#take(layer % 2 === 0 ? 'even' : 'odd', x.length + waiting);
    let [read, written] = [0, 0];
    for (const run of runs) {
      const taken = run.rows * width;
      const given = this.#remember(
        run,
        layer,
        x.subarray(read, read + taken),
        g.subarray(read, read + taken),
        y.subarray(written),
      );
      read += taken;
      written += given;
      run.rows = given / width;
    }
    return this.#feedForward(y.subarray(0, written), written / width);
  }

  /** One stream through the memory; returns the length of what it gave, which lies at the beginning of `y`. */
  #remember(run: LayerRun, layer: number, x: Float32Array, g: Float32Array, y: Float32Array): number {
    const width = this.#width;
    const state = run.states[layer];
    const all = state.x.length === 0 ? x : this.#joined('x', state.x, x);
    const present = all.length / width;
    const given = run.flush ? present : Math.max(0, present - this.#right);
    // Behind the last vector there is nothing yet.
    const context = this.#joined('context', state.g, g, run.flush ? this.#right * width : 0);
    this.#memory.apply(all, context, given, y);
    run.states[layer] = {
      g: context.slice(given * width, state.g.length + g.length),
      x: given === present ? NOTHING : all.slice(given * width),
    };
    return given * width;
  }

  #feedForward(y: Float32Array, rows: number): Float32Array {
    const { weight, bias } = this.#norm;
    const normed = this.#ops.layerNorm(y, rows, weight, bias, EPS, this.#take('normed', y.length));
    const wide = this.#widen.apply(normed, rows, this.#take('wide', rows * this.#widen.outputs));
    const branch = this.#narrow.apply(this.#ops.relu6(wide, wide), rows, this.#take('branch', y.length));
    return this.#ops.residual(y, branch);
  }

  #take(name: string, length: number): Float32Array {
    return this.#workspace.take(name, length);
  }

  #joined(name: string, first: Float32Array, second: Float32Array, zeros = 0): Float32Array {
    const joined = this.#take(name, first.length + second.length + zeros);
    joined.set(first);
    joined.set(second, first.length);
    joined.fill(0, first.length + second.length);
    return joined;
  }
}
