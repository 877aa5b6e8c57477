/** Tables for a spreadsheet or a data frame: every figure with its bounds, and every answered turn. */
import type { Point } from '../../sim/experiments.ts';
import type { Estimate } from '../../sim/statistics/estimates.ts';
import type { Summary } from '../../sim/summary.ts';

type Cell = string | number | null;

/** One row a figure and point: name, n, value, bounds; times in ms, shares from 0 to 1. */
export function figuresCsv(points: readonly Point[]): string {
  const rows = points.flatMap(({ scenario, summary, value }) =>
    estimatesOf(summary).map(([figure, { interval, n, value: estimate }]) => [
      scenario.sweep ? `${scenario.sweep.path}=${value}` : '',
      figure,
      n,
      rounded(estimate),
      interval && rounded(interval[0]),
      interval && rounded(interval[1]),
    ]),
  );
  return csv(['point', 'figure', 'n', 'value', 'low', 'high'], rows);
}

/** One row an answered turn; a column for each cause. */
export function turnsCsv(points: readonly Point[]): string {
  const causes = [...new Set(points.flatMap(({ summary }) => summary.waterfall.map(({ cause }) => cause)))];
  const rows = points.flatMap(({ runs, scenario, value }) =>
    runs.flatMap(({ seed, turns }) =>
      turns.map(turn => [
        scenario.sweep ? `${scenario.sweep.path}=${value}` : '',
        seed,
        turn.session,
        rounded(turn.atMs),
        rounded(turn.firstAudioMs),
        rounded(turn.afterEndpointMs),
        turn.interrupted ? 1 : 0,
        ...causes.map(name => rounded(turn.entries.find(({ cause }) => cause === name)?.ms ?? 0)),
      ]),
    ),
  );
  const heads = ['point', 'seed', 'session', 'at_ms', 'first_audio_ms', 'after_endpoint_ms', 'interrupted'];
  return csv([...heads, ...causes.map(cause => `${cause.replaceAll(/[^a-z]+/g, '_')}_ms`)], rows);
}

function estimatesOf(summary: Summary): (readonly [string, Estimate])[] {
  const { devices, waterfall, ...rest } = summary;
  const figures = Object.entries(rest).flatMap(([name, value]) => {
    if (value === null) return [];
    if ('value' in value) return [[name, value] as const];
    return Object.entries(value).map(([statistic, of]) => [`${name} ${statistic}`, of] as const);
  });
  const parts = waterfall.map(({ cause, ms }) => [`cause ${cause} ms`, ms] as const);
  const machines = devices.flatMap(({ meanBatch, meanQueue, meanWaitMs, name, utilisation }) =>
    Object.entries({ utilisation, meanWaitMs, meanQueue, meanBatch }).map(
      ([figure, of]) => [`${name} ${figure}`, of] as const,
    ),
  );
  return [...figures, ...parts, ...machines];
}

function csv(heads: readonly string[], rows: readonly (readonly Cell[])[]): string {
  return `${[heads, ...rows].map(row => row.map(cell).join(',')).join('\r\n')}\r\n`;
}

/** RFC 4180. */
function cell(value: Cell): string {
  const text = value === null || (typeof value === 'number' && Number.isNaN(value)) ? '' : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

function rounded(value: number): number {
  return Number(value.toFixed(4));
}
