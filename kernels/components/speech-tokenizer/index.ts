export { loadSpeechTokenizer } from './load.ts';
export type { SpeechTokenizer } from './speech-tokenizer.ts';
