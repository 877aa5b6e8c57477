import type { Linear } from '../../linear/index.ts';
import type { Ops } from '../../ops.ts';
import { hostMemory } from '../../tensor-memory.ts';
import type { Weights } from '../../weights/index.ts';
import { Workspace } from '../workspace.ts';
import type { AudioEncoderNetwork } from './config.ts';
import { FsmnLayer } from './fsmn-layer.ts';

/** The layers of docs/spec/model.md §3.3, without state. */
export class FsmnNetwork {
  readonly ops: Ops;
  readonly workspace = new Workspace(hostMemory);
  readonly config: AudioEncoderNetwork;
  readonly preFfn: readonly [Linear, Linear];
  readonly layers: readonly FsmnLayer[];
  readonly postFfn: readonly Linear[];
  readonly projector: readonly [Linear, Linear];
  readonly captions: Linear | null;

  constructor(ops: Ops, config: AudioEncoderNetwork, encoder: Weights, projector: Weights) {
    const { input_size: inputs, hidden_size: hidden, proj_size: width, proj_output_dim: projected } = config;
    const linear = (weights: Weights, name: string, outputs: number, from: number): Linear =>
      ops.linear(
        weights.tensor(`${name}.weight`, [outputs, from]),
        weights.floats(`${name}.bias`, [outputs]),
      );
    this.ops = ops;
    this.config = config;
    this.preFfn = [
      linear(encoder, 'ffn.0', hidden, inputs),
      ops.linear(encoder.tensor('ffn.2.weight', [width, hidden]), null),
    ];
    this.layers = Array.from(
      { length: config.nlayer },
      (_, i) => new FsmnLayer(ops, encoder, i, config, this.workspace),
    );
    this.postFfn = Array.from({ length: config.ndnn }, (_, i) =>
      linear(encoder, `dnn.${2 * i}`, hidden, i === 0 ? width : hidden),
    );
    this.projector = [
      linear(projector, '0', projected, hidden),
      linear(projector, '2', projected, projected),
    ];
    this.captions = encoder.has('output.weight')
      ? linear(encoder, 'output', config.vocab_size, hidden)
      : null;
  }

  before(spliced: Float32Array, count: number): Float32Array {
    const take = (name: string, { outputs }: Linear) => this.workspace.take(name, count * outputs);
    const [widen, narrow] = this.preFfn;
    const wide = widen.apply(spliced, count, take('wide', widen));
    return narrow.apply(this.ops.relu6(wide, wide), count, take('before', narrow));
  }

  after(x: Float32Array, count: number): Float32Array {
    let y = x;
    for (const linear of this.postFfn) {
      y = linear.apply(y, count);
      this.ops.relu6(y, y);
    }
    return y;
  }

  project(encoder: Float32Array, count: number): Float32Array {
    const wide = this.projector[0].apply(encoder, count);
    return this.projector[1].apply(this.ops.gelu(wide, wide), count);
  }
}
