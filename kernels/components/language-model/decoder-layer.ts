import type { Ops } from '../../ops.ts';
import type { Routing } from '../../router/index.ts';
import type { Weights } from '../../weights/index.ts';
import { LatentAttentionBlock, type Segment } from './attention.ts';
import type { LanguageModelConfig } from './config.ts';
import { FeedForward } from './feed-forward.ts';
import { type ExpertPlan, Mixture } from './mixture.ts';
import type { StepSpans } from './step-spans.ts';

/** One ScMoE layer: two attentions, two dense networks, one mixture that starts early and joins last (§1.2). */
export class DecoderLayer {
  readonly #ops: Ops;
  readonly #layer: number;
  readonly #nowUs: () => number;
  readonly #epsilon: number;
  readonly #inputNorms: readonly Float32Array[];
  readonly #postNorms: readonly Float32Array[];
  readonly #attentions: readonly LatentAttentionBlock[];
  readonly #feedForwards: readonly FeedForward[];
  readonly #mixture: Mixture;

  constructor(weights: Weights, layer: number, config: LanguageModelConfig, ops: Ops, plan: ExpertPlan) {
    const prefix = `model.layers.${layer}`;
    const { hidden, ffn } = config;
    const halves = [0, 1] as const;
    this.#ops = ops;
    this.#layer = layer;
    this.#nowUs = plan.ranks?.nowUs ?? (() => 0);
    this.#epsilon = config.normEpsilon;
    this.#inputNorms = halves.map(i => weights.floats(`${prefix}.input_layernorm.${i}.weight`, [hidden]));
    this.#postNorms = halves.map(i =>
      weights.floats(`${prefix}.post_attention_layernorm.${i}.weight`, [hidden]),
    );
    this.#attentions = halves.map(
      i => new LatentAttentionBlock(weights, `${prefix}.self_attn.${i}`, 2 * layer + i, config, ops),
    );
    this.#feedForwards = halves.map(i => new FeedForward(weights, `${prefix}.mlps.${i}`, hidden, ffn, ops));
    this.#mixture = new Mixture(weights, `${prefix}.mlp`, config, ops, plan);
  }

  /**
   * @param x [rows × hidden]; becomes the layer's output
   * @param positions [rows]
   * @param spans takes the layer's times where the experts are on ranks
   * @returns where the router sent the rows
   */
  apply(x: Float32Array, segments: readonly Segment[], positions: Int32Array, spans?: StepSpans): Routing {
    const rows = positions.length;
    const norm = (weight: Float32Array) => this.#ops.rmsNorm(x, rows, weight, this.#epsilon);

    this.#ops.residual(x, this.#attentions[0].apply(norm(this.#inputNorms[0]), segments, positions));
    const early = norm(this.#postNorms[0]);
    const routing = this.#mixture.route(early, rows);
    // The experts work beside everything from here …
    const shortcut = this.#mixture.start(early, rows, routing);
    const denseBeganUs = spans ? this.#nowUs() : 0;
    this.#ops.residual(x, this.#feedForwards[0].apply(early, rows));
    this.#ops.residual(x, this.#attentions[1].apply(norm(this.#inputNorms[1]), segments, positions));
    this.#ops.residual(x, this.#feedForwards[1].apply(norm(this.#postNorms[1]), rows));
    const denseEndedUs = spans ? this.#nowUs() : 0;
    // … to here.
    this.#ops.residual(x, shortcut.join());
    const times = spans && shortcut.times();
    if (times) spans?.add(this.#layer, times, [denseBeganUs, denseEndedUs]);
    return routing;
  }
}
