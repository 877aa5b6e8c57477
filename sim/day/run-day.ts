/**
 * A day: all calls come and go, are refused or lost (`call-flow.ts`); of each part of the day one stretch, at a time
 * that is drawn, is simulated with all that is said in it, each replica of the engine by itself.
 */
import { createRandom } from '../../actors/core/index.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import { dollarsPerHour } from '../engines/build-engine.ts';
import { type ExperimentOptions, type Point, replicationSeed } from '../experiments.ts';
import type { RunResult } from '../results.ts';
import { runScenario } from '../run.ts';
import { parseScenario, type Scenario } from '../scenarios/schema.ts';
import { type Estimate, meanEstimate } from '../statistics/estimates.ts';
import { summariseReplications } from '../summary.ts';
import { type CallFlow, callFlow, type FlowCall, type DayStretch } from './call-flow.ts';

/** Of one part of the day; counts are means over the days that were simulated. */
export interface DayPartResult {
  /** Time of the day. */
  readonly from: string;
  readonly dialled: number;
  readonly refused: number;
  readonly lost: number;
  readonly mostCalls: number;
  readonly meanReplicas: number;
  /** Null where nobody spoke in the stretch. */
  readonly firstAudioMs: { readonly p50: Estimate; readonly p95: Estimate } | null;
}

export interface DayResult {
  readonly days: number;
  readonly parts: readonly DayPartResult[];
  readonly lines: number;
  readonly refusedShare: Estimate;
  readonly lostShare: Estimate;
  /** Of the engine, a day. */
  readonly replicaHours: Estimate;
  readonly conversationHours: Estimate;
  readonly dollarsPerMinute: Estimate | null;
  /** Of the conversation, what was simulated in full. */
  readonly simulatedShare: number;
}

export interface SimulatedDay {
  readonly points: readonly Point[];
  readonly day: DayResult;
}

/** Those under way when a stretch begins do not speak in chorus. */
const BEGIN_WITHIN_S = 5;
const LEAST_S = 0.1;
const SWEPT = 'time of day';

type Day = NonNullable<Scenario['day']>;

export async function runDay(content: unknown, options: ExperimentOptions): Promise<SimulatedDay> {
  const scenario = parseScenario(content);
  const { day, durationS, warmUpS } = scenario;
  if (!day) throw new RuntimeError('scenario.invalid', 'The scenario has no day.', {}, 'Give day.');
  const parts = Math.ceil(durationS / day.everyS);
  const [flows, runs]: [CallFlow[], RunResult[][]] = [[], Array.from({ length: parts }, () => [])];
  const labels = Array.from({ length: parts }, (_, part) => timeOfDay(part * day.everyS));
  const seeds = Array.from({ length: options.replications }, (_, i) => replicationSeed(options.seed, i));
  for (const [i, seed] of seeds.entries()) {
    const stretches = stretchesOf(scenario, day, seed);
    const flow = flowOf(scenario, day, seed, stretches);
    flows.push(flow);
    for (const [part, calls] of flow.calls.entries()) {
      for (const [replica, own] of byReplica(calls)) {
        const talk = { ...scenario, day: undefined, durationS: warmUpS + day.forS };
        const load = { calls: own.map(call => within(call, stretches[part], BEGIN_WITHIN_S)) };
        runs[part].push(await runScenario({ ...talk, load }, `${seed} part ${part} replica ${replica}`));
      }
      options.onProgress?.((i * parts + part + 1) / (seeds.length * parts));
    }
  }
  const sweep = { path: SWEPT, values: labels };
  const points = runs.flatMap((of, part) =>
    of.length === 0
      ? []
      : [
          {
            value: labels[part],
            scenario: { ...scenario, durationS: warmUpS + day.forS, sweep },
            runs: of,
            summary: summariseReplications(of),
          },
        ],
  );
  return { points, day: dayResult(scenario, flows, points, labels, runs) };
}

function stretchesOf({ durationS, warmUpS }: Scenario, { everyS, forS }: Day, seed: string): DayStretch[] {
  const random = createRandom(`${seed} stretches`);
  const lengthMs = (warmUpS + forS) * 1000;
  return Array.from({ length: Math.ceil(durationS / everyS) }, (_, part) => {
    const endS = Math.min(durationS, (part + 1) * everyS);
    const roomMs = Math.max(0, (endS - part * everyS) * 1000 - lengthMs);
    const fromMs = part * everyS * 1000 + random.next() * roomMs;
    return { fromMs, toMs: fromMs + lengthMs };
  });
}

function flowOf(scenario: Scenario, day: Day, seed: string, stretches: readonly DayStretch[]): CallFlow {
  const { load } = scenario;
  if (!('lines' in load))
    throw new RuntimeError('scenario.invalid', 'A day has calls.', {}, 'Give load.lines.');
  const one = { sessions: load.lines, least: 1, most: 1, spare: 0, startS: 0, idleS: 0, failureS: 0 };
  return callFlow({
    ...{ load, rule: day.replicas ?? one, redial: day.redial, stretches },
    ...{ lostAtMs: day.lost.map(atS => atS * 1000), partMs: day.everyS * 1000 },
    ...{ toMs: scenario.durationS * 1000, random: createRandom(`${seed} calls`) },
  });
}

function byReplica(calls: readonly FlowCall[]): [replica: number, calls: FlowCall[]][] {
  const found = new Map<number, FlowCall[]>();
  for (const call of calls) found.set(call.replica, [...(found.get(call.replica) ?? []), call]);
  return [...found].sort(([a], [b]) => a - b);
}

/** A call of the day as one of the stretch; who was speaking already begins by and by. */
function within({ fromMs, toMs }: FlowCall, stretch: DayStretch, beginWithinS: number) {
  const isUnderWay = fromMs < stretch.fromMs;
  const spread = createRandom(`${fromMs} ${toMs}`).next();
  const atS = isUnderWay ? spread * beginWithinS : (fromMs - stretch.fromMs) / 1000;
  return { atS, forS: Math.max(LEAST_S, (toMs - stretch.fromMs) / 1000 - atS) };
}

function dayResult(
  { engine, load }: Scenario,
  flows: readonly CallFlow[],
  points: readonly Point[],
  labels: readonly string[],
  runs: readonly (readonly RunResult[])[],
): DayResult {
  const over = (value: (flow: CallFlow) => number) => meanEstimate(flows.map(value));
  const total = (flow: CallFlow, of: (part: CallFlow['parts'][number]) => number) =>
    flow.parts.reduce((sum, part) => sum + of(part), 0);
  const hours = (ms: number) => ms / 3_600_000;
  const price = dollarsPerHour(engine);
  const callMs = flows.reduce((sum, flow) => sum + total(flow, part => part.callMs), 0);
  const simulatedMs = runs.flat().reduce((sum, run) => sum + run.conversationMinutes * 60_000, 0);
  return {
    days: flows.length,
    lines: 'lines' in load ? load.lines : 0,
    parts: labels.map((from, i) => {
      const mean = (of: (part: CallFlow['parts'][number]) => number) => over(flow => of(flow.parts[i])).value;
      const point = points.find(({ value }) => value === from);
      return {
        ...{ from, dialled: mean(part => part.dialled), refused: mean(part => part.refused) },
        ...{ lost: mean(part => part.lost), mostCalls: mean(part => part.mostCalls) },
        meanReplicas: mean(({ fromMs, replicaMs, toMs }) => replicaMs / (toMs - fromMs)),
        firstAudioMs: point
          ? { p50: point.summary.firstAudioMs.p50, p95: point.summary.firstAudioMs.p95 }
          : null,
      };
    }),
    refusedShare: over(flow => total(flow, part => part.refused) / total(flow, part => part.dialled)),
    lostShare: over(flow => total(flow, part => part.lost) / total(flow, part => part.dialled)),
    replicaHours: over(flow => hours(total(flow, part => part.replicaMs))),
    conversationHours: over(flow => hours(total(flow, part => part.callMs))),
    dollarsPerMinute:
      price > 0
        ? over(
            flow =>
              (price * hours(total(flow, part => part.replicaMs))) /
              (hours(total(flow, part => part.callMs)) * 60),
          )
        : null,
    simulatedShare: callMs > 0 ? simulatedMs / callMs : 0,
  };
}

function timeOfDay(atS: number): string {
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0');
  return `${two(atS / 3600)}:${two((atS % 3600) / 60)}`;
}
