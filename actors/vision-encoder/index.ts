export * from './messages.ts';
export { visionEncoderActor } from './vision-encoder.ts';
