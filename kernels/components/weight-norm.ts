import type { Conv1d, Conv1dShape } from '../conv1d/index.ts';
import type { Ops } from '../ops.ts';
import type { Weights } from '../weights/index.ts';

/**
 * A weight-normalised tensor folded to W = g·V/‖V‖, the norm over all axes but the first (for a transposed convolution
 * that is the input channel; docs/spec/model.md §4.3, §4.7). Reads `NAME.weight_g` and `NAME.weight_v`.
 */
export function foldedWeight(weights: Weights, name: string, shape: readonly number[]): Float32Array {
  const gains = weights.floats(`${name}.weight_g`, [shape[0], ...shape.slice(1).map(() => 1)]);
  const directions = weights.floats(`${name}.weight_v`, shape);
  const size = directions.length / gains.length;
  const folded = new Float32Array(directions.length);
  for (let row = 0; row < gains.length; row++) {
    let squares = 0;
    for (let i = row * size; i < (row + 1) * size; i++) squares += directions[i] * directions[i];
    // A direction of zeros stays zero, as an untrained channel should, instead of turning into NaN.
    const scale = squares > 0 ? gains[row] / Math.sqrt(squares) : 0;
    for (let i = row * size; i < (row + 1) * size; i++) folded[i] = directions[i] * scale;
  }
  return folded;
}

/** A weight-normalised convolution with bias. */
export function normalizedConv1d(ops: Ops, weights: Weights, name: string, shape: Conv1dShape): Conv1d {
  const weight = foldedWeight(weights, name, [shape.outputs, shape.inputs, shape.kernel]);
  return ops.conv1d(weight, weights.floats(`${name}.bias`, [shape.outputs]), shape);
}
