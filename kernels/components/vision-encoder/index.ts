export { readVisionConfig } from './config.ts';
export { loadVisionEncoder, loadVisionOnDevice } from './load.ts';
export type { FrameUnit } from './picture-reader.ts';
