import type { Conv1d } from '../../conv1d/index.ts';
import type { Workspace } from '../workspace.ts';

/** What one stream keeps of one convolution: the last rows it will need again. */
export interface ConvState {
  history: Float32Array;
}

/** State at the start: `rows` rows of zeros (span − 1 of them make a convolution causal). */
export const zeroHistory = (conv: Conv1d, rows = conv.span - 1): ConvState => ({
  history: new Float32Array(rows * conv.shape.inputs),
});

/**
 * Convolves the next rows of a stream: each output that is complete, and the last span − 1 rows for next time.
 * The result holds until the next call with the same workspace.
 */
export function streamedConv1d(
  conv: Conv1d,
  state: ConvState,
  rows: Float32Array,
  workspace: Workspace,
): Float32Array {
  const { inputs, outputs } = conv.shape;
  const before = state.history.length;
  const joined = workspace.take('joined', before + rows.length);
  joined.set(state.history);
  joined.set(rows, before);
  const present = joined.length / inputs;
  const last = joined.subarray(Math.max(0, present - (conv.span - 1)) * inputs);
  if (last.length === before) state.history.set(last);
  else state.history = last.slice();
  return conv.apply(joined, present, workspace.take('convolved', conv.outputRows(present) * outputs));
}
