/**
 * Whether 95 % intervals hold the truth in 95 % of cases: many seeds of one scenario, each with its intervals, against
 * the figure over all seeds together (whose own error is small beside theirs).
 */
import { checkNoneFailed, failedCalls } from '../failures.ts';
import type { RunResult } from '../results.ts';
import { runScenario } from '../run.ts';
import { parseScenario } from '../scenarios/schema.ts';
import { type Estimate, mean, quantile } from '../statistics/estimates.ts';
import { summariseReplications } from '../summary.ts';
import type { Summary } from '../summary.ts';

/** Of one kind of interval of one figure. */
export interface Coverage {
  readonly scenario: string;
  readonly figure: string;
  /** How the interval is formed. */
  readonly kind: 'within a run' | 'over 5 runs';
  readonly truth: number;
  /** Intervals that were formed, and those that held the truth. */
  readonly intervals: number;
  readonly held: number;
}

const PEOPLE = { talkS: { median: 3, sigma: 0.6 }, talkPerPauseS: 2 };
const QUICK = { kind: 'websocket', packetMs: 100 } as const;

/** An idle engine, a busy one that sessions contend for, calls that come and go, and a line that loses packets. */
export const COVERAGE_SCENARIOS: Readonly<Record<string, object>> = {
  idle: {
    durationS: 140,
    load: { sessions: 8 },
    engine: { law: 'linear', languageModel: { stepMs: 8 } },
    transport: QUICK,
  },
  contended: {
    durationS: 140,
    load: { sessions: 12 },
    engine: {
      law: 'linear',
      languageModel: { stepMs: 18, perDecodeMs: 3.5 },
      ganDecoder: { stepMs: 2, perFrameMs: 0.5 },
    },
    turnTaking: { speculateSilenceMs: 650 },
    transport: QUICK,
  },
  calls: {
    durationS: 140,
    load: { callsPerMinute: 15, callMinutes: 1, lines: 40 },
    engine: { law: 'linear', languageModel: { stepMs: 15, perDecodeMs: 2 } },
    transport: { kind: 'carrier', packetMs: 100 },
    network: 'pstn',
  },
  lossy: {
    durationS: 140,
    load: { sessions: 8 },
    engine: { law: 'linear', languageModel: { stepMs: 8 } },
    network: { profile: 'wifi-congested', loss: 0.06 },
    transport: { kind: 'rtp', packetMs: 40 },
  },
};

interface CoveredFigure {
  readonly name: string;
  readonly estimate: (summary: Summary) => Estimate;
  /** Over all runs together. */
  readonly truth: (runs: readonly RunResult[]) => number;
}

const firstAudio = (runs: readonly RunResult[]) =>
  runs.flatMap(run => run.turns.map(turn => turn.firstAudioMs)).sort((a, b) => a - b);
const said = (runs: readonly RunResult[]) => runs.flatMap(run => run.said);
const total = <T>(of: readonly T[], value: (one: T) => number) =>
  of.reduce((sum, one) => sum + value(one), 0);

const FIGURES: readonly CoveredFigure[] = [
  {
    name: 'first audio, mean',
    estimate: of => of.firstAudioMs.mean,
    truth: runs => mean(firstAudio(runs)),
  },
  {
    name: 'first audio p50',
    estimate: of => of.firstAudioMs.p50,
    truth: runs => quantile(firstAudio(runs), 0.5),
  },
  {
    name: 'first audio p95',
    estimate: of => of.firstAudioMs.p95,
    truth: runs => quantile(firstAudio(runs), 0.95),
  },
  {
    name: 'pauses taken for the end',
    estimate: of => of.pausesTakenForTheEnd,
    truth: runs => total(said(runs), turn => turn.pausesTaken) / total(said(runs), turn => turn.pauses),
  },
  {
    name: 'busy',
    estimate: of => of.devices[0].utilisation,
    truth: runs => mean(runs.map(run => run.devices[0].utilisation)),
  },
];

const GROUP = 5;

/**
 * One run of a scenario, without what no interval is formed of.
 * @param scenario a name of `COVERAGE_SCENARIOS`
 * @param change settings to replace, for a shorter look
 */
export async function coverageRun(scenario: string, seed: number, change: object = {}): Promise<RunResult> {
  const content = { name: scenario, warmUpS: 20, people: PEOPLE, ...COVERAGE_SCENARIOS[scenario], ...change };
  const run = await runScenario(parseScenario(content), `coverage ${seed}`);
  return { ...run, gantt: [], turns: run.turns.map(turn => ({ ...turn, entries: [] })) };
}

/** As many runs, and how often their intervals hold. */
export async function coverageOf(scenario: string, seeds: number, change: object = {}): Promise<Coverage[]> {
  const runs: RunResult[] = [];
  for (let seed = 0; seed < seeds; seed++) runs.push(await coverageRun(scenario, seed, change));
  return coverageIn(scenario, runs);
}

/** Of runs in the order of their seeds. */
export function coverageIn(scenario: string, runs: readonly RunResult[]): Coverage[] {
  checkNoneFailed(failedCalls(runs));
  const summaries = runs.map(run => summariseReplications([run]));
  const groups = Array.from({ length: Math.floor(runs.length / GROUP) }, (_, i) =>
    summariseReplications(runs.slice(i * GROUP, (i + 1) * GROUP)),
  );
  return FIGURES.flatMap(({ estimate, name, truth }) => {
    const true_ = truth(runs);
    return [
      counted(scenario, name, 'within a run', true_, summaries.map(estimate)),
      counted(scenario, name, 'over 5 runs', true_, groups.map(estimate)),
    ];
  });
}

function counted(
  scenario: string,
  figure: string,
  kind: Coverage['kind'],
  truth: number,
  estimates: readonly Estimate[],
): Coverage {
  const formed = estimates.flatMap(({ interval }) => (interval ? [interval] : []));
  const held = formed.filter(([low, high]) => low <= truth && truth <= high).length;
  return { scenario, figure, kind, truth, intervals: formed.length, held };
}
