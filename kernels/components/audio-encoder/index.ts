export { type AudioEncoder, type AudioEncoderStream, loadAudioEncoder } from './audio-encoder.ts';
