import type { LiveRecord } from '../../cli/sim/validation-record.ts';
import { quantile } from '../../sim/statistics/estimates.ts';
import type { MeasuredTurn } from './conversations.ts';

export interface Load {
  readonly sessions: number;
  readonly live: readonly (readonly MeasuredTurn[])[];
  readonly simulated: readonly (readonly MeasuredTurn[])[];
}

const FIGURES = [
  { figure: 'first audio p50', q: 0.5, of: (turn: MeasuredTurn) => turn.firstAudioMs, goal: 0.05 },
  { figure: 'first audio p95', q: 0.95, of: (turn: MeasuredTurn) => turn.firstAudioMs, goal: 0.08 },
  { figure: 'after the endpoint p50', q: 0.5, of: (turn: MeasuredTurn) => turn.afterEndpointMs, goal: null },
  { figure: 'after the endpoint p95', q: 0.95, of: (turn: MeasuredTurn) => turn.afterEndpointMs, goal: null },
];

/** All turns of a load are pooled; the spread is over its runs. */
export function liveRows(loads: readonly Load[]): LiveRecord['rows'] {
  return loads.flatMap(({ sessions, live, simulated }) =>
    FIGURES.map(({ figure, q, of, goal }) => {
      const at = (turns: readonly MeasuredTurn[]) =>
        quantile(
          turns.map(of).sort((a, b) => a - b),
          q,
        );
      const [liveMs, simulatedMs] = [at(live.flat()), at(simulated.flat())];
      const turns = { live: live.flat().length, simulated: simulated.flat().length };
      return { sessions, figure, goal, liveMs, simulatedMs, runsMs: live.map(at), turns };
    }),
  );
}
