import type { FeedForward, FeedForwardWeights } from '../../feed-forward/index.ts';
import type { Ops } from '../../ops.ts';
import type { Weights } from '../../weights/index.ts';

/** Dense SwiGLU network without biases (docs/spec/model.md §1.2). */
export function readFeedForward<T>(
  weights: Weights,
  prefix: string,
  hidden: number,
  inner: number,
  ops: Pick<Ops<T, unknown>, 'feedForward'>,
): FeedForward<T> {
  return ops.feedForward(readFeedForwardWeights(weights, prefix, hidden, inner));
}

export function readFeedForwardWeights(
  weights: Weights,
  prefix: string,
  hidden: number,
  inner: number,
): FeedForwardWeights {
  const matrix = (name: string, outputs: number, inputs: number) =>
    weights.matrix(`${prefix}.${name}.weight`, [outputs, inputs]);
  return {
    gate: matrix('gate_proj', inner, hidden),
    up: matrix('up_proj', inner, hidden),
    down: matrix('down_proj', hidden, inner),
  };
}
