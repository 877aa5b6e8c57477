import type { Linear } from '../../linear/index.ts';
import type { Ops } from '../../ops.ts';
import { hostMemory } from '../../tensor-memory.ts';
import type { Weights } from '../../weights/index.ts';
import { Workspace } from '../workspace.ts';
import type { VisionConfig } from './config.ts';

const LAYER_NORM_EPSILON = 1e-5;

/** Merges two horizontal neighbours and maps them to the language model's width (docs/spec/model.md §2.6). */
export class VisionProjector {
  readonly #ops: Ops;
  readonly #normWeight: Float32Array;
  readonly #normBias: Float32Array;
  readonly #workspace = new Workspace(hostMemory);
  readonly #layers: readonly Linear[];

  constructor(ops: Ops, config: VisionConfig, weights: Weights) {
    const { adaptor, output } = config;
    const merged = 2 * config.hidden;
    const linear = (name: string, outputs: number, inputs: number) =>
      ops.linear(
        weights.tensor(`${name}.weight`, [outputs, inputs]),
        weights.floats(`${name}.bias`, [outputs]),
      );
    this.#ops = ops;
    this.#normWeight = weights.floats('p0.0.weight', [merged]);
    this.#normBias = weights.floats('p0.0.bias', [merged]);
    this.#layers = [
      linear('p0.1', adaptor, merged),
      linear('p0.3', adaptor, adaptor),
      linear('proj', output, adaptor),
    ];
  }

  /**
   * @param patches [rows × columns × hidden], columns even: in raster order two neighbours already lie side by side
   * @param tokens rows·columns/2
   * @returns [tokens × output]
   */
  apply(patches: Float32Array, tokens: number): Float32Array {
    const { layerNorm, gelu } = this.#ops;
    const [first, second, last] = this.#layers;
    const take = (name: string, width: number) => this.#workspace.take(name, tokens * width);
    const merged = take('merged', first.inputs);
    layerNorm(patches, tokens, this.#normWeight, this.#normBias, LAYER_NORM_EPSILON, merged);
    const x = first.apply(merged, tokens, take('first', first.outputs));
    const y = second.apply(gelu(x, x), tokens, take('second', second.outputs));
    return last.apply(gelu(y, y), tokens);
  }
}
