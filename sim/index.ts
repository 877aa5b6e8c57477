export { type CapacityResult, searchCapacity } from './capacity.ts';
export { type ComparedFigure, type ComparedScenarios, compareScenarios } from './compare.ts';
export { type ExperimentOptions, type Point, runExperiment } from './experiments.ts';
export type { RunResult } from './results.ts';
export { type RunOptions, runScenario } from './run.ts';
export { parseScenario, type Scenario, withSetting } from './scenarios/schema.ts';
export { type Summary, summariseReplications } from './summary.ts';
