export { bestOf, type GridPoint, parallelGrid } from './grid.ts';
export { runTraining, type SimulatedStep, simulateStep, type TrainingResult } from './run.ts';
export { parseTraining, type TrainingScenario } from './schema.ts';
export { type Measured, measuredSchema, predictSmall } from './small.ts';
export { memoryTables, type TableRow } from './tables.ts';
