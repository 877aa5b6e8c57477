export { audioEncoderActor } from './audio-encoder.ts';
export * from './messages.ts';
