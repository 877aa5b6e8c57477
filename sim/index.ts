export {
  type CapacityResult,
  type ExperimentOptions,
  type Point,
  runExperiment,
  searchCapacity,
} from './experiments.ts';
export type { RunResult } from './results.ts';
export { type RunOptions, runScenario } from './run.ts';
export { parseScenario, type Scenario, withSetting } from './scenarios/schema.ts';
export { type Summary, summariseReplications } from './summary.ts';
