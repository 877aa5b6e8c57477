export { bestOf, type GridPoint, parallelGrid } from './grid.ts';
export { runTraining, type SimulatedStep, simulateStep, type TrainingResult } from './run.ts';
export { parseTraining, trainingSchema, type TrainingScenario } from './schema.ts';
export { predictSmall, predictSteps, type SmallStep } from './small.ts';
export { crowdedCost, type Delay, type Slack } from './small-costs.ts';
export { type Measured, measuredSchema } from './small-measured.ts';
export { simulateSmallStep } from './small-slack.ts';
export { memoryTables, type TableRow } from './tables.ts';
