import type { Linear } from '../../linear/index.ts';
import type { Ops } from '../../ops.ts';
import type { RotaryGrid } from '../../rotary-2d/index.ts';
import { hostMemory } from '../../tensor-memory.ts';
import { createWeight, type Weight, type Weights } from '../../weights/index.ts';
import { Workspace } from '../workspace.ts';
import type { VisionConfig } from './config.ts';

/**
 * LongCat-ViT after the patch embedding: pre-norm blocks, no final norm (docs/spec/model.md §2.4, names of
 * docs/spec/model.md §2.7).
 */
export class VisionTransformer {
  readonly #blocks: readonly Block[];

  constructor(ops: Ops, config: VisionConfig, weights: Weights) {
    const workspace = new Workspace(hostMemory);
    this.#blocks = Array.from(
      { length: config.layers },
      (_, i) => new Block(ops, config, weights, `encoder.layers.${i}.`, workspace),
    );
  }

  /** @param x [grid.rows·grid.columns × hidden] patch embeddings of one unit, overwritten by the result */
  apply(x: Float32Array, grid: RotaryGrid): void {
    for (const block of this.#blocks) block.apply(x, grid);
  }
}

class Block {
  readonly #ops: Ops;
  readonly #config: VisionConfig;
  readonly #norm1: Float32Array;
  readonly #norm2: Float32Array;
  readonly #innerNorm: Float32Array;
  readonly #scale1: Float32Array;
  readonly #scale2: Float32Array;
  readonly #qkNorms: { readonly q: Float32Array; readonly k: Float32Array } | null;
  readonly #q: Linear;
  readonly #k: Linear;
  readonly #v: Linear;
  readonly #proj: Linear;
  readonly #gate: Linear;
  readonly #up: Linear;
  readonly #down: Linear;
  readonly #workspace: Workspace;

  constructor(ops: Ops, config: VisionConfig, weights: Weights, prefix: string, workspace: Workspace) {
    const { hidden, intermediate } = config;
    const vector = (name: string, length: number) => weights.floats(prefix + name, [length]);
    const linear = (name: string, outputs: number, inputs: number) =>
      ops.linear(
        weights.tensor(`${prefix}${name}.weight`, [outputs, inputs]),
        vector(`${name}.bias`, outputs),
      );
    this.#ops = ops;
    this.#config = config;
    this.#norm1 = vector('norm1.weight', hidden);
    this.#norm2 = vector('norm2.weight', hidden);
    this.#innerNorm = vector('mlp.norm.weight', intermediate);
    this.#scale1 = vector('ls1', hidden);
    this.#scale2 = vector('ls2', hidden);
    this.#qkNorms = config.normaliseQk
      ? { q: vector('attn.q_norm.weight', hidden), k: vector('attn.k_norm.weight', hidden) }
      : null;
    const bias = config.qkvBias ? vector('attn.qkv.bias', 3 * hidden) : null;
    [this.#q, this.#k, this.#v] = thirds(
      weights.tensor(`${prefix}attn.qkv.weight`, [3 * hidden, hidden]),
    ).map((weight, i) => ops.linear(weight, bias?.subarray(i * hidden, (i + 1) * hidden) ?? null));
    this.#proj = linear('attn.proj', hidden, hidden);
    this.#gate = linear('mlp.fc1', intermediate, hidden);
    this.#up = linear('mlp.fc3', intermediate, hidden);
    this.#down = linear('mlp.fc2', hidden, intermediate);
    this.#workspace = workspace;
  }

  apply(x: Float32Array, grid: RotaryGrid): void {
    // LayerScale.
    this.#ops.residual(x, this.#attend(x, grid), this.#scale1);
    this.#ops.residual(x, this.#feedForward(x, grid.rows * grid.columns), this.#scale2);
  }

  /** The rotation comes before the QK-norm, and the norm spans all heads together. */
  #attend(x: Float32Array, grid: RotaryGrid): Float32Array {
    const { rmsNorm, rotary2d, attention } = this.#ops;
    const { heads, headDim, ropeBase, epsilon } = this.#config;
    const rows = grid.rows * grid.columns;
    const take = (name: string) => this.#workspace.take(name, x.length);
    const u = rmsNorm(x, rows, this.#norm1, epsilon, take('normed'));
    const q = this.#q.apply(u, rows, take('q'));
    const k = this.#k.apply(u, rows, take('k'));
    const v = this.#v.apply(u, rows, take('v'));
    rotary2d(q, grid, heads, headDim, ropeBase, q);
    rotary2d(k, grid, heads, headDim, ropeBase, k);
    if (this.#qkNorms) {
      rmsNorm(q, rows, this.#qkNorms.q, epsilon, q);
      rmsNorm(k, rows, this.#qkNorms.k, epsilon, k);
    }
    attention(q, k, v, rows, heads, headDim, 1 / Math.sqrt(headDim), q);
    return this.#proj.apply(q, rows, take('branch'));
  }

  #feedForward(x: Float32Array, rows: number): Float32Array {
    const { rmsNorm, swiglu } = this.#ops;
    const m = rmsNorm(x, rows, this.#norm2, this.#config.epsilon, this.#workspace.take('normed', x.length));
    const innerLength = rows * this.#config.intermediate;
    const inner = this.#gate.apply(m, rows, this.#workspace.take('inner', innerLength));
    swiglu(inner, this.#up.apply(m, rows, this.#workspace.take('up', innerLength)), inner);
    rmsNorm(inner, rows, this.#innerNorm, this.#config.epsilon, inner);
    return this.#down.apply(inner, rows, this.#workspace.take('branch', x.length));
  }
}

/** The fused projection's rows are q, then k, then v. */
function thirds(weight: Weight): Weight[] {
  const [rows, inputs] = weight.shape;
  const length = (rows / 3) * inputs;
  return [0, 1, 2].map(i =>
    createWeight(
      weight.name,
      [rows / 3, inputs],
      weight.dtype,
      weight.data.subarray(i * length, (i + 1) * length),
    ),
  );
}
