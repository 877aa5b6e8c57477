import type { FeedForward } from '../../feed-forward/index.ts';
import type { CachePage } from '../../latent-attention/index.ts';
import type { LatentBlock } from '../../latent-block/index.ts';
import type { Ops } from '../../ops.ts';
import type { Routing } from '../../router/index.ts';
import type { Weights } from '../../weights/index.ts';
import type { Workspace } from '../workspace.ts';
import { readLatentBlock } from './attention.ts';
import type { LanguageModelConfig } from './config.ts';
import { readFeedForward } from './feed-forward.ts';
import type { CachedRows } from './latent-cache.ts';
import { type ExpertPlan, Mixture } from './mixture.ts';
import type { StepSpans } from './step-spans.ts';

/**
 * One ScMoE layer: two attentions, two dense networks, one mixture that starts early and joins last
 * (docs/spec/model.md §1.2).
 */
export class DecoderLayer<T = Float32Array, Page = CachePage> {
  readonly #ops: Ops<T, Page>;
  readonly #hidden: number;
  readonly #layer: number;
  readonly #nowUs: () => number;
  readonly #epsilon: number;
  readonly #inputNorms: readonly T[];
  readonly #postNorms: readonly T[];
  readonly #attentions: readonly LatentBlock<T, Page>[];
  readonly #feedForwards: readonly FeedForward<T>[];
  readonly #mixture: Mixture<T>;
  readonly #workspace: Workspace<T>;

  constructor(
    weights: Weights,
    layer: number,
    config: LanguageModelConfig,
    ops: Ops<T, Page>,
    plan: ExpertPlan<T>,
    workspace: Workspace<T>,
  ) {
    const prefix = `model.layers.${layer}`;
    const { hidden, ffn } = config;
    const halves = [0, 1] as const;
    this.#ops = ops;
    this.#hidden = hidden;
    this.#layer = layer;
    this.#nowUs = plan.ranks?.nowUs ?? (() => 0);
    this.#epsilon = config.normEpsilon;
    const norm = (name: string) => ops.memory.hold(weights.floats(`${prefix}.${name}.weight`, [hidden]));
    this.#inputNorms = halves.map(i => norm(`input_layernorm.${i}`));
    this.#postNorms = halves.map(i => norm(`post_attention_layernorm.${i}`));
    this.#attentions = halves.map(i => readLatentBlock(weights, `${prefix}.self_attn.${i}`, config, ops));
    this.#feedForwards = halves.map(i => readFeedForward(weights, `${prefix}.mlps.${i}`, hidden, ffn, ops));
    this.#mixture = new Mixture(weights, `${prefix}.mlp`, config, ops, plan, workspace);
    this.#workspace = workspace;
  }

  /**
   * @param x [rows × hidden]; becomes the layer's output
   * @param cached the same rows, and the cache they see
   * @param spans takes the layer's times where the experts are on ranks
   * @returns where the router sent the rows
   */
  apply(x: T, rows: number, cached: CachedRows<Page>, spans?: StepSpans): Routing {
    const numbers = rows * this.#hidden;
    const early = this.#workspace.take('early', numbers);
    const normed = this.#workspace.take('normed', numbers);
    const branch = this.#workspace.take('branch', numbers);

    this.#attend(0, x, rows, cached, normed, branch);
    this.#ops.rmsNorm(x, rows, this.#postNorms[0], this.#epsilon, early);
    const routing = this.#mixture.route(early, rows);
    // The experts work beside everything from here …
    const shortcut = this.#mixture.start(early, rows, routing);
    const denseBeganUs = spans ? this.#nowUs() : 0;
    this.#ops.residual(x, this.#feedForwards[0].apply(early, rows, branch));
    this.#attend(1, x, rows, cached, normed, branch);
    this.#ops.rmsNorm(x, rows, this.#postNorms[1], this.#epsilon, normed);
    this.#ops.residual(x, this.#feedForwards[1].apply(normed, rows, branch));
    const denseEndedUs = spans ? this.#nowUs() : 0;
    // … to here.
    this.#ops.residual(x, shortcut.join());
    const times = spans && shortcut.times();
    if (times) spans?.add(this.#layer, times, [denseBeganUs, denseEndedUs]);
    return routing;
  }

  #attend(half: 0 | 1, x: T, rows: number, cached: CachedRows<Page>, normed: T, branch: T): void {
    this.#ops.rmsNorm(x, rows, this.#inputNorms[half], this.#epsilon, normed);
    const offset = cached.offsetOf(2 * this.#layer + half);
    this.#ops.residual(x, this.#attentions[half].apply(normed, cached, offset, branch));
  }
}
