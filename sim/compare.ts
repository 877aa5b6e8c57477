/** Two scenarios side by side, run with the same random numbers, so that what differs is what was changed. */
import { type ExperimentOptions, replicationSeed } from './experiments.ts';
import { type Failed, failedCalls } from './failures.ts';
import type { RunResult } from './results.ts';
import { runScenario } from './run.ts';
import { parseScenario } from './scenarios/schema.ts';
import { type Estimate, meanEstimate } from './statistics/estimates.ts';
import { type Summary, summariseReplications } from './summary.ts';

export interface ComparedFigure {
  readonly figure: string;
  readonly unit: 'ms' | '%' | '$' | '';
  readonly before: Estimate;
  readonly after: Estimate;
  /** After less before, pair by pair. */
  readonly difference: Estimate;
  /** How many times as many runs independent seeds would have taken for the same bounds; null where nothing varies. */
  readonly pairingGain: number | null;
}

export interface ComparedScenarios {
  readonly before: string;
  readonly after: string;
  readonly seed: string;
  readonly replications: number;
  readonly figures: readonly ComparedFigure[];
  /** Of both sides; null where no session failed that should not. */
  readonly failed: Failed | null;
}

const FIGURES: readonly (readonly [string, ComparedFigure['unit'], (of: Summary) => number | undefined])[] = [
  ['first audio p50', 'ms', of => of.firstAudioMs.p50.value],
  ['first audio p95', 'ms', of => of.firstAudioMs.p95.value],
  ['first audio, mean', 'ms', of => of.firstAudioMs.mean.value],
  ['after the endpoint p95', 'ms', of => of.afterEndpointMs.p95.value],
  ['barge-in to silence p50', 'ms', of => of.bargeInSilenceMs.p50.value],
  ['pauses taken for the end', '%', of => of.pausesTakenForTheEnd.value * 100],
  ['turns cut off', '%', of => of.turnsCutOff.value * 100],
  ['turns said again', '%', of => of.askedAgain.value * 100],
  ['stutters a minute', '', of => of.stuttersPerMinute.value],
  ['opinion of the line', '', of => of.opinion.value],
  ['headroom', '%', of => (of.headroom ? of.headroom.value * 100 : undefined)],
  ['a conversation minute', '$', of => of.dollarsPerMinute?.value],
];

/** Seed i of the one with seed i of the other. */
export async function compareScenarios(
  before: unknown,
  after: unknown,
  { onProgress, replications, seed }: ExperimentOptions,
): Promise<ComparedScenarios> {
  const scenarios = [parseScenario(before), parseScenario(after)];
  const runs: RunResult[][] = [[], []];
  for (let i = 0; i < replications; i++)
    for (const [side, scenario] of scenarios.entries()) {
      runs[side].push(await runScenario(scenario, replicationSeed(seed, i)));
      onProgress?.((2 * i + side + 1) / (2 * replications));
    }
  const summaries = runs.map(side => side.map(run => summariseReplications([run])));
  return {
    before: scenarios[0].name,
    after: scenarios[1].name,
    seed: String(seed),
    replications,
    failed: failedCalls(runs.flat()),
    figures: FIGURES.flatMap(([figure, unit, of]) => {
      const [a, b] = summaries.map(side => side.map(summary => of(summary) ?? Number.NaN));
      const pairs = a.flatMap((value, i) => (Number.isFinite(value + b[i]) ? [[value, b[i]] as const] : []));
      return pairs.length === 0 ? [] : [compared(figure, unit, pairs)];
    }),
  };
}

function compared(
  figure: string,
  unit: ComparedFigure['unit'],
  pairs: readonly (readonly [number, number])[],
): ComparedFigure {
  const before = meanEstimate(pairs.map(([value]) => value));
  const after = meanEstimate(pairs.map(([, value]) => value));
  const difference = meanEstimate(pairs.map(([a, b]) => b - a));
  const width2 = ({ interval }: Estimate) => (interval ? (interval[1] - interval[0]) ** 2 : 0);
  const paired = width2(difference);
  return {
    figure,
    unit,
    before,
    after,
    difference,
    pairingGain: paired > 0 ? (width2(before) + width2(after)) / paired : null,
  };
}
