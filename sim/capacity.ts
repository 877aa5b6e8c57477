/** The most sessions that meet a goal, between which bounds, and what stands in the way of more. */
import { type ExperimentOptions, replicationSeed } from './experiments.ts';
import type { RunResult } from './results.ts';
import { runScenario } from './run.ts';
import { parseScenario, type Scenario, withSetting } from './scenarios/schema.ts';
import type { Estimate } from './statistics/estimates.ts';
import { firstAudioEstimate, type Summary, summariseReplications } from './summary.ts';

/** One number of sessions that was tried. */
export interface Attempt {
  readonly sessions: number;
  /** The quantile that the goal is about. */
  readonly firstAudioMs: Estimate;
  /** Calls that were refused or failed. */
  readonly lost: number;
}

export interface CapacityResult {
  /** The most sessions that met the goal; 0 when not even one did. */
  readonly sessions: number;
  /**
   * The most whose upper bound meets the goal, and the most whose lower bound does; null: around the answer there are
   * too few turns for bounds.
   */
  readonly interval: readonly [surely: number, perhaps: number] | null;
  /** The search went no further than `sessions`. */
  readonly isCeiling: boolean;
  /** What keeps it from being more, in words. */
  readonly reason: string;
  readonly quantile: number;
  readonly goalMs: number;
  readonly replications: number;
  readonly tried: readonly Attempt[];
}

interface Tried extends Attempt {
  readonly summary: Summary;
  readonly failures: RunResult['failures'];
}

type Goal = NonNullable<Scenario['capacity']>;

/** Bisects; every size runs with the same seeds. Null where the scenario sets no goal. */
export async function searchCapacity(
  content: unknown,
  options: ExperimentOptions,
): Promise<CapacityResult | null> {
  const { capacity } = parseScenario(content);
  if (!capacity) return null;
  const { firstAudioMs: goalMs, mostSessions, quantile } = capacity;
  const tried = new Map<number, Tried>();
  const about = 3 * (2 + Math.log2(mostSessions));
  const at = async (sessions: number): Promise<Tried> => {
    const known = tried.get(sessions);
    if (known) return known;
    const made = await attempt(content, sessions, capacity, options);
    tried.set(sessions, made);
    options.onProgress?.(Math.min(0.99, tried.size / about));
    return made;
  };
  const most = (bound: (of: Estimate) => number) =>
    bisect(mostSessions, async sessions => {
      const { firstAudioMs, lost } = await at(sessions);
      // Nobody answered is not an answer in time.
      return lost === 0 && bound(firstAudioMs) <= goalMs;
    });
  const sessions = await most(({ value }) => value);
  const surely = await most(({ interval, value }) => interval?.[1] ?? value);
  const perhaps = await most(({ interval, value }) => interval?.[0] ?? value);
  const isCeiling = sessions === mostSessions;
  const beside = [sessions, sessions + 1].flatMap(count => tried.get(count) ?? []);
  const isUnsure =
    sessions > 0 && beside.some(({ firstAudioMs, lost }) => lost === 0 && !firstAudioMs.interval);
  return {
    sessions,
    interval: isUnsure ? null : [Math.min(surely, sessions), Math.max(perhaps, sessions)],
    isCeiling,
    reason: isCeiling
      ? 'the search goes no further: raise capacity.mostSessions'
      : reasonOf(sessions === 0 ? null : await at(1), await at(sessions + 1), capacity),
    quantile,
    goalMs,
    replications: options.replications,
    tried: [...tried.values()].map(({ firstAudioMs, lost, sessions: count }) => ({
      sessions: count,
      firstAudioMs,
      lost,
    })),
  };
}

async function attempt(
  content: unknown,
  sessions: number,
  { quantile }: Goal,
  { replications, seed }: ExperimentOptions,
): Promise<Tried> {
  const scenario = parseScenario(withSetting(content, 'load', { sessions }));
  const runs: RunResult[] = [];
  for (let i = 0; i < replications; i++) runs.push(await runScenario(scenario, replicationSeed(seed, i)));
  return {
    sessions,
    firstAudioMs: firstAudioEstimate(runs, quantile),
    lost: runs.reduce((sum, { counts }) => sum + counts.failed + counts.refused, 0),
    summary: summariseReplications(runs),
    failures: runs.flatMap(({ failures }) => failures),
  };
}

/** The most for which it holds, from 0 to `ceiling`: doubling, then halving. */
async function bisect(ceiling: number, holds: (sessions: number) => Promise<boolean>): Promise<number> {
  let [good, bad] = [0, ceiling + 1];
  while (good + 1 < bad) {
    const doubled = Math.max(1, good * 2);
    const next = doubled < bad && doubled > good ? doubled : Math.floor((good + bad) / 2);
    if (await holds(next)) good = next;
    else bad = next;
  }
  return good;
}

/** Causes that no engine shortens. */
const WORLD = ['noise', 'uplink', 'endpointing', 'packet', 'jitter buffer', 'gate', 'downlink'];

/** @param one the smallest size; null when not even that meets the goal */
function reasonOf(one: Tried | null, bad: Tried, { firstAudioMs: goalMs }: Goal): string {
  if (bad.lost > 0) {
    const [failure] = bad.failures;
    return `${bad.lost} call${bad.lost > 1 ? 's' : ''} of ${bad.sessions} sessions refused or failed${failure ? ` (${failure.reason})` : ''}`;
  }
  const { waterfall } = bad.summary;
  if (waterfall.length === 0) return `with ${bad.sessions} sessions nobody is answered`;
  const meanOf = (of: Tried, cause: string) =>
    of.summary.waterfall.find(row => row.cause === cause)?.ms.value ?? 0;
  if (!one) {
    const floor = waterfall.filter(({ cause }) => WORLD.includes(cause));
    const floorMs = floor.reduce((sum, { ms }) => sum + ms.value, 0);
    const parts = floor.map(({ cause, ms }) => `${cause} ${ms.value.toFixed(0)}`).join(', ');
    const verdict =
      floorMs > goalMs ? 'more than the goal whatever the engine does' : 'the engine takes the rest';
    return `one session waits ${floorMs.toFixed(0)} ms on average without the engine (${parts}): ${verdict}`;
  }
  const [worst] = waterfall
    .filter(({ cause }) => !WORLD.includes(cause))
    .map(({ cause }) => ({ cause, byMs: meanOf(bad, cause) - meanOf(one, cause) }))
    .sort((a, b) => b.byMs - a.byMs);
  const [busiest] = [...bad.summary.devices].sort((a, b) => b.utilisation.value - a.utilisation.value);
  const busy = busiest
    ? `; ${busiest.name} is ${(busiest.utilisation.value * 100).toFixed(0)} % busy with batches of ${busiest.meanBatch.value.toFixed(1)}`
    : '';
  const grown = worst
    ? `“${worst.cause}” takes ${worst.byMs.toFixed(0)} ms more than with one`
    : 'answers take longer';
  return `with ${bad.sessions} sessions ${grown}${busy}`;
}
