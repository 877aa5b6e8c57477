import type { ExpertWeights } from './experts/index.ts';
import type { LinearWeight } from './linear/index.ts';
import type { Ops } from './ops.ts';
import { type QuantisedWeight, quantiseWeight } from './weights/index.ts';

const quantised = (weight: LinearWeight): QuantisedWeight =>
  weight.dtype === 'i8' ? weight : quantiseWeight(weight);

const quantisedExpert = ({ gate, up, down }: ExpertWeights): ExpertWeights => ({
  gate: quantised(gate),
  up: quantised(up),
  down: quantised(down),
});

/**
 * An engine's operations with every matrix of a linear layer, expert or code head brought to int8 when it is prepared
 * (linear/int8.ts states the error). The router stays in float32 as docs/spec/model.md §1.4 wants it, and so do the
 * latent attention's expansion, norms, tables and convolutions.
 */
export const int8Ops = <T, Page>(ops: Ops<T, Page>): Ops<T, Page> => ({
  ...ops,
  linear: (weight, bias) => ops.linear(quantised(weight), bias),
  experts: (weights, hidden) => ops.experts(weights.map(quantisedExpert), hidden),
  expertRanks: count => {
    const ranks = ops.expertRanks(count);
    return {
      ...ranks,
      prepare: (weights, hidden, rankOf) => ranks.prepare(weights.map(quantisedExpert), hidden, rankOf),
    };
  },
  codebookHeads: (heads, cascade) => ops.codebookHeads(heads.map(quantised), cascade),
  feedForward: weights => ops.feedForward(quantisedExpert(weights)),
  latentBlock: (weights, shape) =>
    ops.latentBlock(
      {
        ...weights,
        queryDown: quantised(weights.queryDown),
        queryUp: quantised(weights.queryUp),
        latentDown: quantised(weights.latentDown),
        output: quantised(weights.output),
      },
      shape,
    ),
});
