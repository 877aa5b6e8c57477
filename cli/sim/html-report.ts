/** The report as one file: looks and waterfalls are those of the live page (web/). */
import { readFileSync } from 'node:fs';
import { PACKAGE_ROOT } from '../../kernels/package-root.ts';
import type { CapacityResult } from '../../sim/capacity.ts';
import type { DayResult } from '../../sim/day/run-day.ts';
import type { Point } from '../../sim/experiments.ts';
import { failedCalls } from '../../sim/failures.ts';
import type { AnsweredTurn } from '../../sim/results.ts';
import type { Estimate } from '../../sim/statistics/estimates.ts';
import type { DeviceSummary } from '../../sim/summary.ts';
import { scaleOf, waterfallHtml } from '../../web/waterfall.js';
import { curve, escapeHtml, gantt, histogram, jobLegend } from './charts.ts';
import { dayHtml } from './day-report.ts';
import { REPORT_CSS } from './report-css.ts';
import { capacityWords } from './text-report.ts';

const web = (file: string) => readFileSync(`${PACKAGE_ROOT}web/${file}`, 'utf8');
const GANTT_MS = 1000;

export function htmlReport(
  points: readonly Point[],
  capacity: CapacityResult | null,
  day: DayResult | null = null,
): string {
  const [{ scenario }] = points;
  const scales = scalesOf(points);
  const title = escapeHtml(scenario.name);
  const parts = [
    `<h1>${title}</h1>`,
    `<p class="about">${escapeHtml(paragraphs(scenario.about))}</p>`,
    failedHtml(points),
    day ? dayHtml(day) : points.length > 1 ? tradeOff(points) : '',
    capacity ? capacityHtml(capacity) : '',
    ...points.map(point => pointHtml(point, scales)),
  ];
  const head = `<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>${title}</title>`;
  const style = `<style>${web('theme.css')}${web('waterfall.css')}${REPORT_CSS}</style>`;
  return `<!doctype html><html lang="en"><head>${head}${style}</head><body><main>${parts.join('\n')}</main></body></html>\n`;
}

function failedHtml(points: readonly Point[]): string {
  const failed = failedCalls(points.flatMap(({ runs }) => runs));
  if (!failed) return '';
  const reasons = failed.reasons.slice(0, 3).map(escapeHtml).join('; ');
  return `<p><strong>${failed.calls} of ${failed.of} sessions failed</strong> (${reasons}). What follows is of those that were left.</p>`;
}

/** What an earlier answer costs: pauses taken for the end of a turn. */
function tradeOff(points: readonly Point[]): string {
  const { path } = points[0].scenario.sweep!;
  const known = points
    .filter(
      ({ summary }) => !Number.isNaN(summary.firstAudioMs.p50.value + summary.pausesTakenForTheEnd.value),
    )
    .map(({ value, summary }) => ({
      label: String(value),
      x: summary.firstAudioMs.p50.value,
      y: summary.pausesTakenForTheEnd.value * 100,
      yInterval: summary.pausesTakenForTheEnd.interval?.map(bound => bound * 100) as
        | [number, number]
        | undefined,
    }));
  if (known.length < 2) return '';
  const drawn = curve(
    known.map(point => ({ ...point, yInterval: point.yInterval ?? null })),
    'first audio p50, ms',
    'pauses taken for the end, %',
  );
  return `<section><h2>Trade-off over ${escapeHtml(path)}</h2>${drawn}<p class="note">Each point is one value of the setting; vertical lines are 95 % intervals.</p></section>`;
}

function capacityHtml(capacity: CapacityResult): string {
  const { quantile, goalMs, reason, replications, tried } = capacity;
  const goal = `p${Math.round(quantile * 100)} first audio ≤ ${goalMs} ms`;
  const rows = [...tried]
    .sort((a, b) => a.sessions - b.sessions)
    .map(attempt => figure(`${attempt.sessions} sessions`, attempt.firstAudioMs, 'ms'));
  const runs = `${replications} run${replications > 1 ? 's' : ''} of each size`;
  const note = `${runs}; in brackets: the most that surely hold the goal, and the most that perhaps do.`;
  return [
    `<section><h2>Capacity: ${capacityWords(capacity)} sessions with ${goal}</h2>`,
    `<p>Because ${escapeHtml(reason)}.</p><p class="note">${note}</p>`,
    `${table(['tried', 'first audio', 'interval', 'n'], rows)}</section>`,
  ].join('');
}

/** One time scale for all points of a sweep, so that pictures beside one another can be compared. */
interface Scales {
  readonly waterfallMs: number;
  readonly rangeMs: readonly [number, number];
}

function scalesOf(points: readonly Point[]): Scales {
  const waits = points.flatMap(({ runs }) => runs.flatMap(run => run.turns.map(turn => turn.firstAudioMs)));
  const bounds = waits.reduce(
    ([low, high], wait) => [Math.min(low, wait), Math.max(high, wait)],
    [Number.POSITIVE_INFINITY, 0],
  );
  return { waterfallMs: scaleOf([bounds[1]]), rangeMs: [bounds[0], bounds[1]] };
}

function pointHtml({ value, scenario, runs, summary }: Point, scales: Scales): string {
  const turns = runs.flatMap(run => run.turns);
  const waits = turns.map(turn => turn.firstAudioMs);
  const title = scenario.sweep ? `${scenario.sweep.path} = ${value}` : 'Figures';
  const { p50, p95 } = summary.firstAudioMs;
  const marks = [
    { label: `p50 ${p50.value.toFixed(0)}`, value: p50.value },
    { label: `p95 ${p95.value.toFixed(0)}`, value: p95.value },
  ];
  const entries = summary.waterfall.map(({ cause, ms }) => ({ cause, ms: ms.value }));
  const totalMs = entries.reduce((sum, { ms }) => sum + ms, 0);
  const singles = chosen(turns);
  const { rangeMs, waterfallMs: scaleMs } = scales;
  return [
    `<section><h2>${escapeHtml(title)}</h2>`,
    figures({ value, scenario, runs, summary }),
    `<h3>Where the time to first audio goes <small>mean of ${turns.length} turns; from the mouth to the ear</small></h3>`,
    turns.length > 0 ? opened(waterfallHtml({ waterfall: { entries, totalMs } }, scaleMs)) : '',
    causes(summary),
    '<h3>Time to first audio</h3>',
    histogram(waits, turns.length > 0 ? marks : [], rangeMs),
    '<h3>Single turns <small>median, 95 % and slowest</small></h3>',
    ...singles.map(turn => turnHtml(turn, scaleMs)),
    `<h3>Devices <small>the first ${GANTT_MS} ms after the warm-up</small></h3>`,
    gantt(runs[0].gantt, runs[0].fromMs, GANTT_MS),
    jobLegend([...new Set(runs[0].gantt.flatMap(({ jobs }) => jobs.map(job => job.label)))]),
    deviceTable(summary.devices),
    '</section>',
  ].join('\n');
}

function figures({ summary, runs }: Point): string {
  const { firstAudioMs, afterEndpointMs, bargeInSilenceMs, pausesTakenForTheEnd, wastedSpeculations } =
    summary;
  const rows = [
    figure('first audio, p50', firstAudioMs.p50, 'ms'),
    figure('first audio, p95', firstAudioMs.p95, 'ms'),
    figure('after the endpoint, p95', afterEndpointMs.p95, 'ms'),
    figure('barge-in to silence at the ear, p50', bargeInSilenceMs.p50, 'ms'),
    figure('barge-in to silence at the ear, p95', bargeInSilenceMs.p95, 'ms'),
    figure('pauses taken for the end', pausesTakenForTheEnd, '%', 100),
    figure('turns cut off', summary.turnsCutOff, '%', 100),
    figure('turns said again', summary.askedAgain, '%', 100),
    figure('stutters a minute', summary.stuttersPerMinute, ''),
    figure('opinion of the line (MOS of the E-model, 1–4.5)', summary.opinion, ''),
    figure('speculations for nothing', wastedSpeculations, '%', 100),
  ];
  const { dollarsPerMinute, headroom, wattHoursPerMinute } = summary;
  const minutes = runs.reduce((sum, run) => sum + run.conversationMinutes, 0);
  const cost = dollarsPerMinute
    ? ` A conversation minute costs $${averaged(dollarsPerMinute, 4)} (n ${runs.length}, ${minutes.toFixed(0)} min).`
    : '';
  const energy = wattHoursPerMinute ? ` It takes ${averaged(wattHoursPerMinute, 2)} Wh.` : '';
  const room = headroom
    ? ` Of the time that the sound of a step lasts ${averaged(headroom, 1, 100)} % is left after it.`
    : '';
  const { seed } = runs[0];
  const note = `<p class="note">${runs.length} run${runs.length > 1 ? 's' : ''}, seed ${escapeHtml(seed)}; intervals are 95 %.${cost}${energy}${room}</p>`;
  return table(['', 'figure', 'interval', 'n'], rows) + note;
}

/** The same means with their intervals. */
function causes({ waterfall }: Point['summary']): string {
  if (waterfall.length === 0) return '';
  const rows = waterfall.map(({ cause, ms }) => figure(escapeHtml(cause), ms, 'ms'));
  return `<details><summary>with intervals</summary>${table(['', 'mean', 'interval', 'n'], rows)}</details>`;
}

function figure(name: string, { n, value, interval }: Estimate, unit: string, factor = 1): string {
  const shown = Number.isNaN(value) ? 'no data' : `${(value * factor).toFixed(1)} ${unit}`;
  const bounds = interval
    ? `${(interval[0] * factor).toFixed(1)} – ${(interval[1] * factor).toFixed(1)}`
    : 'n too small';
  return `<tr><td>${name}</td><td>${shown}</td><td>${bounds}</td><td>${n}</td></tr>`;
}

function deviceTable(devices: readonly DeviceSummary[]): string {
  const rows = devices.map(({ name, utilisation, meanWaitMs, meanQueue, meanBatch, largestBatch, jobs }) =>
    cells([
      escapeHtml(name),
      `${averaged(utilisation, 1, 100)} %`,
      `${averaged(meanWaitMs, 2)} ms`,
      averaged(meanQueue, 2),
      `${averaged(meanBatch, 1)} (${largestBatch})`,
      String(jobs),
    ]),
  );
  const [{ n } = { n: 0 }] = devices.map(({ utilisation }) => utilisation);
  const note = n > 1 ? `Means of ${n} runs.` : 'Intervals of one run: batch means over twenty parts of it.';
  const heads = ['device', 'busy', 'mean wait', 'queue', 'batch (most)', 'jobs'];
  return `${table(heads, rows, 'table wide')}<p class="note">${note}</p>`;
}

function averaged({ value, interval }: Estimate, digits: number, factor = 1): string {
  const number = (each: number) => (each * factor).toFixed(digits);
  return number(value) + (interval ? ` (${number(interval[0])} – ${number(interval[1])})` : '');
}

function cells(texts: readonly string[]): string {
  return `<tr>${texts.map(text => `<td>${text}</td>`).join('')}</tr>`;
}

function table(heads: readonly string[], rows: readonly string[], looks = 'table'): string {
  return `<div class="${looks}"><table><thead><tr>${heads.map(head => `<th>${head}</th>`).join('')}</tr></thead><tbody>${rows.join('')}</tbody></table></div>`;
}

function chosen(turns: readonly AnsweredTurn[]): AnsweredTurn[] {
  const sorted = [...turns].sort((a, b) => a.firstAudioMs - b.firstAudioMs);
  const at = (share: number) => sorted[Math.floor((sorted.length - 1) * share)];
  return sorted.length === 0 ? [] : [at(0.5), at(0.95), at(1)];
}

function turnHtml(turn: AnsweredTurn, scaleMs: number): string {
  const { session, atMs, entries, firstAudioMs, heardMs, interrupted, speculations, rollbacks } = turn;
  const account = {
    waterfall: { entries, totalMs: firstAudioMs },
    heardMs,
    interrupted,
    speculations,
    rollbacks,
  };
  return `<p class="turn">${escapeHtml(session)} at ${(atMs / 1000).toFixed(1)} s</p>${waterfallHtml(account, scaleMs)}`;
}

/** Lines of the file are joined; what to look for begins a line of its own. */
const paragraphs = (text: string) => text.trim().replace(/\n(?!Look for)/g, ' ');

const opened = (details: string) => details.replace('<details ', '<details open ');
