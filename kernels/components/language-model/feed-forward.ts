import type { FeedForward } from '../../feed-forward/index.ts';
import type { Ops } from '../../ops.ts';
import type { Weights } from '../../weights/index.ts';

/** Dense SwiGLU network without biases (docs/spec/model.md §1.2). */
export function readFeedForward(
  weights: Weights,
  prefix: string,
  hidden: number,
  inner: number,
  ops: Ops,
): FeedForward {
  const matrix = (name: string, outputs: number, inputs: number) =>
    weights.matrix(`${prefix}.${name}.weight`, [outputs, inputs]);
  return ops.feedForward({
    gate: matrix('gate_proj', inner, hidden),
    up: matrix('up_proj', inner, hidden),
    down: matrix('down_proj', hidden, inner),
  });
}
