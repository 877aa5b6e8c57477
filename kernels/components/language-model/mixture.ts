import type { Experts, ExpertWeights } from '../../experts/index.ts';
import type { Ops } from '../../ops.ts';
import type { Router, Routing } from '../../router/index.ts';
import { reshape, sliceRows, type Weights } from '../../weights/index.ts';
import type { LanguageModelConfig } from './config.ts';

/** The shortcut branch of a layer: router, real experts, identity experts (spec/model.md §1.4). */
export class Mixture {
  readonly #router: Router;
  readonly #experts: Experts;

  constructor(weights: Weights, prefix: string, config: LanguageModelConfig, ops: Ops) {
    const { hidden, routedExperts, identityExperts, topK, routingFactor } = config;
    const outputs = routedExperts + identityExperts;
    const classifier = weights.tensor(`${prefix}.router.classifier.weight`, [outputs, hidden]);
    const bias = weights.floats(`${prefix}.router.e_score_correction_bias`, [outputs]);
    this.#router = ops.router(classifier, bias, topK, routingFactor);
    this.#experts = ops.experts(readExperts(weights, `${prefix}.experts`, config), hidden);
  }

  route(x: Float32Array, rows: number): Routing {
    return this.#router.apply(x, rows);
  }

  apply(x: Float32Array, rows: number, routing: Routing): Float32Array {
    return this.#experts.apply(x, rows, routing);
  }
}

function readExperts(weights: Weights, prefix: string, config: LanguageModelConfig): ExpertWeights[] {
  if (weights.has(`${prefix}.gate_up_proj`)) return readFusedExperts(weights, prefix, config);
  const { hidden, expertFfn, routedExperts } = config;
  return Array.from({ length: routedExperts }, (_, e) => ({
    gate: weights.tensor(`${prefix}.${e}.gate_proj.weight`, [expertFfn, hidden]),
    up: weights.tensor(`${prefix}.${e}.up_proj.weight`, [expertFfn, hidden]),
    down: weights.tensor(`${prefix}.${e}.down_proj.weight`, [hidden, expertFfn]),
  }));
}

/** Newer exports hold all experts in one tensor, gate rows before up rows; rows of identity experts may follow (§1.11). */
function readFusedExperts(weights: Weights, prefix: string, config: LanguageModelConfig): ExpertWeights[] {
  const { hidden, expertFfn, routedExperts, identityExperts } = config;
  const read = (name: string, rows: number, columns: number) => {
    const [found] = weights.shapeOf(`${prefix}.${name}`);
    const experts = found === routedExperts + identityExperts ? found : routedExperts;
    return weights.tensor(`${prefix}.${name}`, [experts, rows, columns]);
  };
  const gateUp = read('gate_up_proj', 2 * expertFfn, hidden);
  const down = read('down_proj', hidden, expertFfn);
  return Array.from({ length: routedExperts }, (_, e) => {
    const both = reshape(sliceRows(gateUp, e, e + 1), [2 * expertFfn, hidden]);
    return {
      gate: sliceRows(both, 0, expertFfn),
      up: sliceRows(both, expertFfn, 2 * expertFfn),
      down: reshape(sliceRows(down, e, e + 1), [hidden, expertFfn]),
    };
  });
}
