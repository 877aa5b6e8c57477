export { loadSpeechTokenizer, loadTokenizerOnDevice } from './load.ts';
export type { SpeechTokenizer } from './speech-tokenizer.ts';
