export { readVisionConfig } from './config.ts';
export { loadVisionEncoder } from './load.ts';
export type { FrameUnit } from './vision-encoder.ts';
