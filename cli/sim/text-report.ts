import type { CapacityResult } from '../../sim/capacity.ts';
import type { Point } from '../../sim/experiments.ts';
import { failedCalls } from '../../sim/failures.ts';
import type { Estimate } from '../../sim/statistics/estimates.ts';
import type { DeviceSummary } from '../../sim/summary.ts';

/** What a person reads at a terminal: every figure with n and its 95 % interval. */
export function textReport(points: readonly Point[], capacity: CapacityResult | null): string {
  const blocks = points.map(pointText);
  if (capacity) blocks.push(capacityText(capacity));
  return blocks.join('\n\n');
}

function pointText({ value, scenario, runs, summary }: Point): string {
  const { firstAudioMs, afterEndpointMs, bargeInSilenceMs } = summary;
  const simulated = `${runs.length} × ${scenario.durationS} s, first ${scenario.warmUpS} s not counted`;
  const title = scenario.sweep ? `${scenario.name}: ${scenario.sweep.path} = ${value}` : scenario.name;
  const total = (of: (run: Point['runs'][number]) => number) => runs.reduce((sum, run) => sum + of(run), 0);
  const lines = [
    `${title}  (${simulated}, seed ${runs[0].seed}; [95 % interval], n ${runs.length > 1 ? 'runs' : 'turns, pauses or interruptions'})`,
    ...failedText(runs),
    row('first audio p50', firstAudioMs.p50, 'ms'),
    row('first audio p95', firstAudioMs.p95, 'ms'),
    row('after the endpoint p95', afterEndpointMs.p95, 'ms'),
    row('barge-in to silence p50', bargeInSilenceMs.p50, 'ms'),
    row('barge-in to silence p95', bargeInSilenceMs.p95, 'ms'),
    row('pauses taken for the end', summary.pausesTakenForTheEnd, '%', 100),
    row('turns cut off', summary.turnsCutOff, '%', 100),
    row('turns said again', summary.askedAgain, '%', 100),
    row('speculations for nothing', summary.wastedSpeculations, '%', 100),
    row('stutters a minute', summary.stuttersPerMinute, ''),
    row('opinion of the line (MOS)', summary.opinion, ''),
    '  where the time to first audio goes, mean',
    ...summary.waterfall.map(({ cause, ms }) => row(`  ${cause}`, ms, 'ms')),
    `  ${[
      `turns answered ${total(run => run.turns.length)}`,
      `calls ${total(run => run.counts.calls)}`,
      `refused ${total(run => run.counts.refused)}`,
      `failed ${total(run => run.counts.failed)}`,
      `unanswered ${total(run => run.counts.unanswered)}`,
      `not understood ${total(run => run.counts.notUnderstood)}`,
    ].join(', ')}`,
    ...summary.devices.map(deviceText),
  ];
  const { dollarsPerMinute, headroom, wattHoursPerMinute } = summary;
  if (headroom)
    lines.push(
      `  headroom ${averaged(headroom, 1, 100)} %: of the time that the sound of a step lasts, what is left after it`,
    );
  const memories = runs.flatMap(({ memory }) => (memory ? [memory] : []));
  if (memories.length > 0) {
    const most = Math.max(
      ...memories.map(({ capacityPositions, mostPositions }) => mostPositions / capacityPositions),
    );
    const positions = memories[0].capacityPositions.toLocaleString('en');
    const refused = total(run => run.counts.refusedForMemory);
    lines.push(
      `  memory for contexts taken at most ${(most * 100).toFixed(0)} % of ${positions} positions; refused for it ${refused}`,
    );
  }
  const uses = runs.flatMap(({ tool }) => (tool ? [tool] : []));
  if (uses.length > 0) {
    const [ran, aborted] = [total(run => run.tool?.runs ?? 0), total(run => run.tool?.aborted ?? 0)];
    lines.push(`  the tool ran ${ran} times, warm-up included; ${aborted} of them were called off`);
  }
  if (wattHoursPerMinute) lines.push(`  a conversation minute takes ${averaged(wattHoursPerMinute, 2)} Wh`);
  for (const { reason, calls } of runs.flatMap(run => run.failures))
    lines.push(`  ${calls} failed: ${reason}`);
  for (const { reason, times } of runs.flatMap(run => run.errors))
    lines.push(`  told ${times} times: ${reason}`);
  if (dollarsPerMinute)
    lines.push(
      `  a conversation minute costs $${averaged(dollarsPerMinute, 4)}, ${total(run => run.conversationMinutes).toFixed(0)} min`,
    );
  return lines.join('\n');
}

/** Stands above all figures. */
function failedText(runs: Point['runs']): string[] {
  const failed = failedCalls(runs);
  if (!failed) return [];
  return [`  SESSIONS FAILED: ${failed.calls} of ${failed.of}; what follows is of those that were left`];
}

function deviceText({
  name,
  utilisation,
  meanWaitMs,
  meanQueue,
  meanBatch,
  largestBatch,
  jobs,
}: DeviceSummary): string {
  return [
    `  ${name.padEnd(24)} busy ${averaged(utilisation, 1, 100)} %`,
    `wait ${averaged(meanWaitMs, 2)} ms`,
    `queue ${averaged(meanQueue, 2)}`,
    `batch ${averaged(meanBatch, 1)} (up to ${largestBatch})`,
    `n ${utilisation.n} run${utilisation.n > 1 ? 's' : ''}, ${jobs} jobs`,
  ].join(', ');
}

function averaged({ value, interval }: Estimate, digits: number, factor = 1): string {
  const number = (each: number) => (each * factor).toFixed(digits);
  return number(value) + (interval ? ` [${number(interval[0])}, ${number(interval[1])}]` : '');
}

function row(name: string, { n, value, interval }: Estimate, unit: string, factor = 1): string {
  const figure = Number.isNaN(value) ? 'no data' : `${(value * factor).toFixed(1)} ${unit}`;
  const bounds = interval
    ? `  [${(interval[0] * factor).toFixed(1)}, ${(interval[1] * factor).toFixed(1)}]`
    : '  [n too small]';
  return `  ${name.padEnd(26)} ${figure.padStart(12)}${bounds}  n ${n}`;
}

function capacityText(capacity: CapacityResult): string {
  const { quantile, goalMs, reason, replications, tried } = capacity;
  const lines = [...tried]
    .sort((a, b) => a.sessions - b.sessions)
    .map(attempt =>
      row(`${attempt.sessions} session${attempt.sessions === 1 ? '' : 's'}`, attempt.firstAudioMs, 'ms'),
    );
  return [
    `most sessions such that p${Math.round(quantile * 100)} first audio ≤ ${goalMs} ms: ${capacityWords(capacity)}  (n ${replications} run${replications > 1 ? 's' : ''} of each size)`,
    `  because ${reason}`,
    ...lines,
  ].join('\n');
}

/** "58 [52, 61]", that it was one of too few turns, or that the search ended there. */
export function capacityWords({ interval, isCeiling, sessions }: CapacityResult): string {
  if (isCeiling) return `at least ${sessions}`;
  return `${sessions} [${interval ? interval.join(', ') : 'n too small'}]`;
}
