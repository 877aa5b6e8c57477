export * from './messages.ts';
export { type VisionEncoderDeps, visionEncoderActor } from './vision-encoder.ts';
