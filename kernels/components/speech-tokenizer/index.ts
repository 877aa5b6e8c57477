export { loadSpeechTokenizer, type SpeechCodes, type SpeechTokenizer } from './speech-tokenizer.ts';
