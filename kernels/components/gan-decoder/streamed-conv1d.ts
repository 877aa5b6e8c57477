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

/** Rows that the next `rows` of the stream complete. */
export const completedRows = (conv: Conv1d, { history }: ConvState, rows: number): number =>
  conv.outputRows(history.length / conv.shape.inputs + rows);

/**
 * Convolves the next rows of a stream, which `write` puts behind those that are kept: each output that is complete goes
 * to the beginning of `out`, and the last span − 1 rows are kept for next time.
 */
export function streamedConv1d(
  conv: Conv1d,
  state: ConvState,
  rows: number,
  write: (room: Float32Array) => void,
  workspace: Workspace,
  out: Float32Array,
): void {
  const { inputs } = conv.shape;
  const before = state.history.length;
  const joined = workspace.take('joined', before + rows * inputs);
  joined.set(state.history);
  write(joined.subarray(before));
  const present = joined.length / inputs;
  const last = joined.subarray(Math.max(0, present - (conv.span - 1)) * inputs);
  if (last.length === before) state.history.set(last);
  else state.history = last.slice();
  conv.apply(joined, present, out);
}
