export {
  type AudioEncoder,
  type AudioEncoderStream,
  type AudioEncoderStreamOptions,
  type EncodedAudio,
  loadAudioEncoder,
} from './audio-encoder.ts';
