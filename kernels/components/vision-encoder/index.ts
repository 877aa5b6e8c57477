export { readVisionConfig } from './config.ts';
export { type FrameUnit, loadVisionEncoder } from './vision-encoder.ts';
