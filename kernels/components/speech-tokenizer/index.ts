export { loadSpeechTokenizer, type SpeechTokenizer } from './speech-tokenizer.ts';
