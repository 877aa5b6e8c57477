export type { AudioEncoder } from './audio-encoder.ts';
export { CaptionReader } from './caption-reader.ts';
export type { AudioEncoderStream, EncodedAudio, EncoderWork } from './encoded-audio.ts';
export { loadAudioEncoder, loadEncoderOnDevice } from './load.ts';
