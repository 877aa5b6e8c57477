import type { ExchangeTimes, ExpertRanks } from '../../expert-ranks/index.ts';
import { blockPlacement } from '../../expert-ranks/placement.ts';
import type { ExpertWeights } from '../../experts/index.ts';
import type { Ops } from '../../ops.ts';
import type { Router, Routing } from '../../router/index.ts';
import type { Weights } from '../../weights/index.ts';
import type { Workspace } from '../workspace.ts';
import type { LanguageModelConfig } from './config.ts';

/** Who computes the experts: ranks of their own, or without them the thread of the model. */
export interface ExpertPlan<T = Float32Array> {
  readonly ranks: ExpertRanks<T> | null;
  /** The rank of each expert; consecutive ones together by default. */
  readonly placement?: (experts: number, ranks: number) => Int32Array;
}

/** The shortcut branch under way. */
export interface Shortcut<T> {
  /** Waits for what is missing; to be called once. @returns [rows × hidden] */
  join(): T;
  /** After `join`; null without ranks. */
  times(): ExchangeTimes | null;
}

type StartExperts<T> = (x: T, rows: number, routing: Routing) => Shortcut<T>;

/** The shortcut branch of a layer: router, real experts, identity experts (docs/spec/model.md §1.4). */
export class Mixture<T> {
  readonly #router: Router<T>;
  readonly #startExperts: StartExperts<T>;

  constructor(
    weights: Weights,
    prefix: string,
    config: LanguageModelConfig,
    ops: Pick<Ops<T, unknown>, 'experts' | 'router'>,
    plan: ExpertPlan<T>,
    workspace: Workspace<T>,
  ) {
    const { hidden, routedExperts, identityExperts, topK, routingFactor } = config;
    const outputs = routedExperts + identityExperts;
    const classifier = weights.matrix(`${prefix}.router.classifier.weight`, [outputs, hidden]);
    const bias = weights.floats(`${prefix}.router.e_score_correction_bias`, [outputs]);
    this.#router = ops.router(classifier, bias, topK, routingFactor);
    const experts = readExperts(weights, `${prefix}.experts`, config);
    this.#startExperts = plan.ranks
      ? onRanks(plan, experts, hidden)
      : atOnce(experts, hidden, ops, workspace);
  }

  route(x: T, rows: number): Routing {
    return this.#router.apply(x, rows);
  }

  /** `x` must stay as it is until the shortcut is joined. */
  start(x: T, rows: number, routing: Routing): Shortcut<T> {
    return this.#startExperts(x, rows, routing);
  }
}

/** A shortcut without ranks: done when it starts. */
class Computed<T> implements Shortcut<T> {
  readonly #mixed: T;

  constructor(mixed: T) {
    this.#mixed = mixed;
  }

  join(): T {
    return this.#mixed;
  }

  times(): null {
    return null;
  }
}

function atOnce<T>(
  weights: readonly ExpertWeights[],
  hidden: number,
  ops: Pick<Ops<T, unknown>, 'experts'>,
  workspace: Workspace<T>,
): StartExperts<T> {
  const experts = ops.experts(weights, hidden);
  return (x, rows, routing) => {
    const mixed = experts.apply(x, rows, routing, workspace.take('mixed', rows * hidden));
    return new Computed(mixed);
  };
}

function onRanks<T>(plan: ExpertPlan<T>, weights: readonly ExpertWeights[], hidden: number): StartExperts<T> {
  const ranks = plan.ranks!;
  const rankOf = (plan.placement ?? blockPlacement)(weights.length, ranks.count);
  const ranked = ranks.prepare(weights, hidden, rankOf);
  return (x, rows, routing) => {
    const exchange = ranked.dispatch(x, rows, routing);
    return { join: () => exchange.combine(), times: () => exchange.times() };
  };
}

const readExperts = (weights: Weights, prefix: string, config: LanguageModelConfig): ExpertWeights[] =>
  Array.from({ length: config.routedExperts }, (_, e) => readExpert(weights, prefix, config, e));

/** Expert by expert: all of a layer are 26 GB in the full-size model. */
export function readExpert(
  weights: Weights,
  prefix: string,
  config: LanguageModelConfig,
  expert: number,
): ExpertWeights {
  if (weights.has(`${prefix}.gate_up_proj`)) return readFusedExpert(weights, prefix, config, expert);
  const { hidden, expertFfn } = config;
  return {
    gate: weights.matrix(`${prefix}.${expert}.gate_proj.weight`, [expertFfn, hidden]),
    up: weights.matrix(`${prefix}.${expert}.up_proj.weight`, [expertFfn, hidden]),
    down: weights.matrix(`${prefix}.${expert}.down_proj.weight`, [hidden, expertFfn]),
  };
}

/**
 * Newer exports hold all experts in one tensor, gate rows before up rows; rows of identity experts may follow
 * (docs/spec/model.md §1.11).
 */
function readFusedExpert(
  weights: Weights,
  prefix: string,
  config: LanguageModelConfig,
  expert: number,
): ExpertWeights {
  const { hidden, expertFfn, routedExperts, identityExperts } = config;
  const fused = (name: string, rows: number, columns: number) => {
    const [found] = weights.shapeOf(`${prefix}.${name}`);
    const experts = found === routedExperts + identityExperts ? found : routedExperts;
    return (first: number, shape: [number, number]) =>
      weights.matrix(`${prefix}.${name}`, [experts, rows, columns], { begin: first * columns, shape });
  };
  const gateUp = fused('gate_up_proj', 2 * expertFfn, hidden);
  const down = fused('down_proj', hidden, expertFfn);
  return {
    gate: gateUp(2 * expert * expertFfn, [expertFfn, hidden]),
    up: gateUp((2 * expert + 1) * expertFfn, [expertFfn, hidden]),
    down: down(expert * hidden, [hidden, expertFfn]),
  };
}
