import type { Conv1d } from '../../conv1d/index.ts';
import { joinRows } from '../rows.ts';

/** What one stream keeps of one convolution: the last rows it will need again. */
export interface ConvState {
  history: Float32Array;
}

/** State at the start: `rows` rows of zeros (span − 1 of them make a convolution causal). */
export const zeroHistory = (conv: Conv1d, rows = conv.span - 1): ConvState => ({
  history: new Float32Array(rows * conv.shape.inputs),
});

/** Convolves the next rows of a stream: each output that is complete, and the last span − 1 rows for next time. */
export function streamedConv1d(conv: Conv1d, state: ConvState, rows: Float32Array): Float32Array {
  const joined = joinRows(state.history, rows);
  const { inputs } = conv.shape;
  const present = joined.length / inputs;
  state.history = joined.slice(Math.max(0, present - (conv.span - 1)) * inputs);
  return conv.apply(joined, present);
}
