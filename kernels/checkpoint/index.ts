export { type Dimensions, nanoDimensions, tinyDimensions } from './dimensions.ts';
export { type CheckpointOptions, writeSeededCheckpoint } from './write-checkpoint.ts';
