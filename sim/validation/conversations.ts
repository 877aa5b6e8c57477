/** Figures of whole conversations, each from one shipped scenario: what it is, and what it should be. */
import { type Point, runExperiment } from '../experiments.ts';
import { checkNoneFailed, failedCalls } from '../failures.ts';
import { withSetting } from '../scenarios/schema.ts';
import type { Estimate } from '../statistics/estimates.ts';
import type { Summary } from '../summary.ts';

export interface Figure {
  readonly scenario: string;
  readonly figure: string;
  readonly expected: string;
  readonly unit: 'ms' | '%';
  readonly estimate: Estimate;
}

interface Wanted {
  readonly figure: string;
  readonly expected?: string;
  /** Of the sweep; absent without one. */
  readonly at?: number | string;
  readonly of: (summary: Summary) => Estimate;
  readonly unit?: '%';
}

interface ValidationPlan {
  /** Stem of the file in sim/scenarios. */
  readonly scenario: string;
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly wanted: readonly Wanted[];
}

const firstAudio = ({ firstAudioMs }: Summary) => firstAudioMs.p50;
const afterEndpoint = ({ afterEndpointMs }: Summary) => afterEndpointMs.p95;
const silence50 = ({ bargeInSilenceMs }: Summary) => bargeInSilenceMs.p50;
const silence95 = ({ bargeInSilenceMs }: Summary) => bargeInSilenceMs.p95;
const falseEndpoints = ({ pausesTakenForTheEnd }: Summary) => pausesTakenForTheEnd;
const cause = (name: string) => (summary: Summary) =>
  summary.waterfall.find(row => row.cause === name)?.ms ?? { n: 0, value: 0, interval: null };

/** Of pauses of at least 200 ms, longer than so many ms: lognormal of docs/spec/latency-data.md §4.2. */
const LONGER_PAUSES = [
  [300, 79],
  [500, 47],
  [700, 28],
  [1000, 14],
] as const;

const OFF = { 'turnTaking.speculateSilenceMs': 650 };
const DEFERRED = { 'engine.prefill': 'deferred' };
/** The omni report's claim (docs/spec/latency-data.md §2.2), and what it would be without each of its two tricks. */
const OMNI: readonly (readonly [what: string, expected: string, settings: Record<string, unknown>])[] = [
  ['speculation and streaming prefill: from the endpoint to the first sample, p95', '≤ 100 ms', {}],
  ['without speculation', '–', OFF],
  ['without streaming prefill', '–', DEFERRED],
  ['without either', '–', { ...OFF, ...DEFERRED }],
];
/** Voice activity before the report's packets of a second are formed, and behind them. */
const PACKETS = [
  [20, 'packets of 20 ms'],
  [1000, 'packets of 1 s'],
] as const;

const PLANS: readonly ValidationPlan[] = [
  ...OMNI.map(([figure, expected, settings]) => ({
    scenario: 'report-deployment',
    settings,
    wanted: PACKETS.map(([at, packets]) => ({
      figure: `${packets}, ${figure}`,
      expected,
      at,
      of: afterEndpoint,
    })),
  })),
  {
    scenario: 'endpoint-trade-off',
    wanted: LONGER_PAUSES.map(([ms, percent]) => ({
      figure: `${ms} ms: pauses taken for the end`,
      expected: `${percent} %`,
      at: ms,
      of: falseEndpoints,
      unit: '%' as const,
    })),
  },
  {
    scenario: 'speculation',
    wanted: [
      { figure: 'on: first audio at the ear, p50', at: 200, of: firstAudio },
      { figure: 'off: first audio at the ear, p50', at: 650, of: firstAudio },
    ],
  },
  {
    scenario: 'prefill-while-listening',
    wanted: ['arriving', 'deferred'].map(at => ({
      figure: `${at}: mean of “prefill”`,
      at,
      of: cause('prefill'),
    })),
  },
  {
    scenario: 'disaggregation',
    wanted: [0, 8].map(at => ({
      figure: `${at} prefill devices: mean of “prefill”`,
      at,
      of: cause('prefill'),
    })),
  },
  {
    scenario: 'barge-in-storm',
    wanted: [
      { figure: 'silence at the ear, p50', of: silence50 },
      { figure: 'silence at the ear, p95', expected: '≤ 300 ms on a wired path', of: silence95 },
    ],
  },
  {
    scenario: 'mobile',
    wanted: ['fibre', '5g', 'wifi-congested', '4g-moving'].map(at => ({
      figure: `${at}: first audio p50`,
      at,
      of: firstAudio,
    })),
  },
  {
    scenario: 'call-centre',
    wanted: [
      { figure: 'first audio p95', of: ({ firstAudioMs }) => firstAudioMs.p95 },
      { figure: 'barge-in to silence at the ear, p50', of: silence50 },
      { figure: '… p95', of: silence95 },
    ],
  },
];

const CONVERSATION_SEED = '1';

/** The scenarios that are simulated, for whoever reads the files. */
export const VALIDATION_SCENARIOS: readonly string[] = [...new Set(PLANS.map(({ scenario }) => scenario))];

/** @param read the content of a shipped scenario, by stem */
export async function conversationFigures(
  read: (scenario: string) => unknown,
  onProgress: (share: number) => void,
  scenarios: readonly string[] = VALIDATION_SCENARIOS,
): Promise<Figure[]> {
  const plans = PLANS.filter(({ scenario }) => scenarios.includes(scenario));
  const figures: Figure[] = [];
  for (const [done, { scenario, settings = {}, wanted }] of plans.entries()) {
    const content = Object.entries(settings).reduce(
      (given, [path, value]) => withSetting(given, path, value),
      read(scenario),
    );
    const points = await runExperiment(content, {
      seed: CONVERSATION_SEED,
      replications: 1,
      onProgress: share => onProgress((done + share) / plans.length),
    });
    checkNoneFailed(failedCalls(points.flatMap(({ runs }) => runs)));
    for (const { figure, expected = '–', at, of, unit = 'ms' } of wanted) {
      figures.push({ scenario, figure, expected, unit, estimate: of(pointAt(points, at).summary) });
    }
  }
  return figures;
}

function pointAt(points: readonly Point[], at: number | string | undefined): Point {
  return points.find(({ value }) => value === at) ?? points[0];
}
