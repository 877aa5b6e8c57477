export { type Dimensions, nanoDimensions, tinyDimensions } from './dimensions.ts';
export { writeSeededCheckpoint } from './write-checkpoint.ts';
