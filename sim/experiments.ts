/** What is made of runs: replications and sweeps. */
import type { RunResult } from './results.ts';
import { runScenario } from './run.ts';
import { parseScenario, type Scenario, withSetting } from './scenarios/schema.ts';
import { type Summary, summariseReplications } from './summary.ts';

export interface Point {
  /** What the swept setting was; null without a sweep. */
  readonly value: number | string | boolean | null;
  readonly scenario: Scenario;
  readonly runs: readonly RunResult[];
  readonly summary: Summary;
}

export interface ExperimentOptions {
  readonly seed: string | number;
  readonly replications: number;
  /** Share of the whole experiment, 0–1. */
  readonly onProgress?: (share: number) => void;
}

/** Seeds of the replications: the first is the seed itself, so that one run and the first of many are the same. */
export function replicationSeed(seed: string | number, replication: number): string {
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
