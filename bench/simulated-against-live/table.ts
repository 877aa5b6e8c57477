import { availableParallelism, cpus } from 'node:os';
import { quantile } from '../../sim/statistics/estimates.ts';
import type { MeasuredTurn } from './conversations.ts';

export interface Load {
  readonly sessions: number;
  readonly live: readonly (readonly MeasuredTurn[])[];
  readonly simulated: readonly (readonly MeasuredTurn[])[];
}

const GOALS = [
  { name: 'first audio p50', q: 0.5, of: (turn: MeasuredTurn) => turn.firstAudioMs, goal: 0.05 },
  { name: 'first audio p95', q: 0.95, of: (turn: MeasuredTurn) => turn.firstAudioMs, goal: 0.08 },
  { name: 'after the endpoint p50', q: 0.5, of: (turn: MeasuredTurn) => turn.afterEndpointMs, goal: null },
  { name: 'after the endpoint p95', q: 0.95, of: (turn: MeasuredTurn) => turn.afterEndpointMs, goal: null },
];

/** Markdown. All turns of a load are pooled; the spread is over its live runs. */
export function table(loads: readonly Load[]): string {
  const rows = loads.flatMap(({ sessions, live, simulated }) =>
    GOALS.map(({ name, q, of, goal }) => {
      const at = (turns: readonly MeasuredTurn[]) =>
        quantile(
          turns.map(of).sort((a, b) => a - b),
          q,
        );
      const [was, is] = [at(live.flat()), at(simulated.flat())];
      const runs = live.map(at);
      const error = is / was - 1;
      const verdict = goal === null ? '' : Math.abs(error) <= goal ? 'holds' : '**missed**';
      const cells = [
        `${sessions} session${sessions > 1 ? 's' : ''}: ${name}`,
        `${was.toFixed(1)} ms (${Math.min(...runs).toFixed(1)} – ${Math.max(...runs).toFixed(1)})`,
        `${is.toFixed(1)} ms`,
        `${error < 0 ? '−' : '+'}${Math.abs(error * 100).toFixed(1)} %`,
        goal === null ? '' : `≤ ${goal * 100} %: ${verdict}`,
        `${live.flat().length} / ${simulated.flat().length}`,
      ];
      return `| ${cells.join(' | ')} |`;
    }),
  );
  const runs = loads[0].live.length;
  return [
    '# Simulated against live',
    '',
    'Written by `npm run bench -- simulated-against-live --write FILE`. Nano with the fastest engine, six recorded turns a person,',
    'speculation off, so that the engine’s time shows in full; the endpoint waits for 650 ms of silence. The profile was calibrated on',
    'single components (`sim calibrate`), never on conversations. The simulated runs use the profile’s step times, its two servers',
    'and its late timers; arithmetic, actors, people and seeds are those of the live runs.',
    '',
    `${cpus()[0]?.model ?? 'Unknown processor'}, ${availableParallelism()} threads; ${runs} live runs of each load.`,
    '',
    '| load and figure | live (least – greatest run) | simulated | error | goal | n turns live / simulated |',
    '|---|---|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}
