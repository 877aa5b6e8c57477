export * from './messages.ts';
export { type SpeechTokenizerDeps, speechTokenizerActor } from './speech-tokenizer.ts';
