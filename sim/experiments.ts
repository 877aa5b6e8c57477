/** What is made of runs: replications, sweeps, the search for a capacity. */
import type { RunResult } from './results.ts';
import { runScenario } from './run.ts';
import { parseScenario, type Scenario, withSetting } from './scenarios/schema.ts';
import { type Estimate, quantileEstimate } from './statistics/estimates.ts';
import { type Summary, summariseReplications } from './summary.ts';

export interface Point {
  /** What the swept setting was; null without a sweep. */
  readonly value: number | string | boolean | null;
  readonly scenario: Scenario;
  readonly runs: readonly RunResult[];
  readonly summary: Summary;
}

export interface CapacityResult {
  /** The most sessions that met the goal; 0 when not even one did. */
  readonly sessions: number;
  readonly quantile: number;
  readonly goalMs: number;
  readonly tried: readonly {
    readonly sessions: number;
    /** The quantile that the goal is about. */
    readonly firstAudioMs: Estimate;
  }[];
}

export interface ExperimentOptions {
  readonly seed: string | number;
  readonly replications: number;
  /** Share of the whole experiment, 0–1. */
  readonly onProgress?: (share: number) => void;
}

/** Seeds of the replications: the first is the seed itself, so that one run and the first of many are the same. */
function replicationSeed(seed: string | number, replication: number): string {
  return replication === 0 ? String(seed) : `${seed}/${replication}`;
}

/** One point for each value of the sweep, or one point. */
export async function runExperiment(content: unknown, options: ExperimentOptions): Promise<Point[]> {
  const { sweep } = parseScenario(content);
  const values = sweep?.values ?? [null];
  const scenarios = values.map(value =>
    parseScenario(value === null ? content : withSetting(content, sweep!.path, value)),
  );
  const points: Point[] = [];
  for (const [i, scenario] of scenarios.entries()) {
    const runs: RunResult[] = [];
    for (let replication = 0; replication < options.replications; replication++) {
      const done = i * options.replications + replication;
      const onProgress = (share: number) =>
        options.onProgress?.((done + share) / (scenarios.length * options.replications));
      runs.push(await runScenario(scenario, replicationSeed(options.seed, replication), { onProgress }));
    }
    points.push({ value: values[i], scenario, runs, summary: summariseReplications(runs) });
  }
  return points;
}

/** Bisects for the most sessions whose first audio stays below the goal; every size runs with the same seed. */
export async function searchCapacity(
  content: unknown,
  options: ExperimentOptions,
): Promise<CapacityResult | null> {
  const { capacity } = parseScenario(content);
  if (!capacity) return null;
  const tried: { sessions: number; firstAudioMs: Estimate }[] = [];
  const meets = async (sessions: number): Promise<boolean> => {
    const run = await runScenario(parseScenario(withSetting(content, 'load', { sessions })), options.seed);
    const waits = run.turns.map(turn => turn.firstAudioMs);
    const firstAudioMs = quantileEstimate(waits, capacity.quantile);
    tried.push({ sessions, firstAudioMs });
    options.onProgress?.(Math.min(0.99, tried.length / (2 + Math.log2(capacity.mostSessions))));
    // Nobody answered is not an answer in time.
    return firstAudioMs.value <= capacity.firstAudioMs;
  };
  let [good, bad] = [0, capacity.mostSessions + 1];
  for (
    let next = 1;
    good + 1 < bad;
    next = good * 2 < bad ? Math.max(1, good * 2) : Math.floor((good + bad) / 2)
  ) {
    if (next <= good || next >= bad) next = Math.floor((good + bad) / 2);
    if (await meets(next)) good = next;
    else bad = next;
  }
  return { sessions: good, quantile: capacity.quantile, goalMs: capacity.firstAudioMs, tried };
}
