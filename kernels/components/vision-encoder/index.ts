export { readVisionConfig, type VisionConfig } from './config.ts';
export { type FrameUnit, loadVisionEncoder, VisionEncoder, type VisionOutputs } from './vision-encoder.ts';
