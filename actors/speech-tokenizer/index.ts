export * from './messages.ts';
export { speechTokenizerActor } from './speech-tokenizer.ts';
