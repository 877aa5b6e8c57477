import type { DayPartResult, DayResult } from '../../sim/day/run-day.ts';
import type { Estimate } from '../../sim/statistics/estimates.ts';

const HEADS = ['from', 'dialled', 'refused', 'lost', 'busiest', 'replicas', 'p50 ms', 'p95 ms'] as const;

/** The day at a terminal: a line each part, and what it comes to. */
export function dayText(day: DayResult): string {
  const rows = [HEADS, ...day.parts.map(part => partCells(part, day.lines))];
  const widths = HEADS.map((_, i) => Math.max(...rows.map(row => row[i].length)));
  const lines = rows.map(row => `  ${row.map((cell, i) => cell.padStart(widths[i])).join('  ')}`);
  return [
    `the day, all calls  (n ${day.days} day${day.days > 1 ? 's' : ''}; first audio of one stretch each)`,
    ...lines,
    ...sums(day).map(line => `  ${line}`),
  ].join('\n');
}

/** The same as tables of a page. */
export function dayHtml(day: DayResult): string {
  const row = (cells: readonly string[], tag: string) =>
    `<tr>${cells.map(cell => `<${tag}>${cell}</${tag}>`).join('')}</tr>`;
  const body = day.parts.map(part => row(partCells(part, day.lines), 'td')).join('');
  return `<section><h2>The day, all calls</h2><div class="table"><table><thead>${row(HEADS, 'th')}</thead><tbody>${body}</tbody></table></div><p class="note">${sums(day).join('. ')}.</p></section>`;
}

function partCells(part: DayPartResult, lines: number): readonly string[] {
  const { dialled, firstAudioMs, from, lost, meanReplicas, mostCalls, refused } = part;
  const ms = (estimate: Estimate | undefined) =>
    estimate && !Number.isNaN(estimate.value) ? estimate.value.toFixed(0) : '–';
  return [
    ...[from, dialled.toFixed(0), refused.toFixed(0), lost.toFixed(0), `${mostCalls.toFixed(0)}/${lines}`],
    ...[meanReplicas.toFixed(1), ms(firstAudioMs?.p50), ms(firstAudioMs?.p95)],
  ];
}

function sums(day: DayResult): string[] {
  const { conversationHours, dollarsPerMinute, lostShare, refusedShare, replicaHours, simulatedShare } = day;
  return [
    `refused ${shown(refusedShare, 2, 100)} %, lost ${shown(lostShare, 2, 100)} % of what was dialled`,
    `${shown(conversationHours, 1)} hours of conversation, ${(simulatedShare * 100).toFixed(1)} % of it simulated word by word`,
    `${shown(replicaHours, 1)} replica hours`,
    ...(dollarsPerMinute ? [`a conversation minute costs $${shown(dollarsPerMinute, 4)} over the day`] : []),
  ];
}

function shown({ interval, value }: Estimate, digits: number, factor = 1): string {
  const number = (each: number) => (each * factor).toFixed(digits);
  return number(value) + (interval ? ` [${number(interval[0])}, ${number(interval[1])}]` : '');
}
