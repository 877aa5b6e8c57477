export { ganDecoderActor } from './gan-decoder.ts';
export * from './messages.ts';
