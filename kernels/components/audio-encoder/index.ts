export {
  type AudioEncoder,
  type AudioEncoderStream,
  type EncodedAudio,
  loadAudioEncoder,
} from './audio-encoder.ts';
export { CaptionReader } from './caption-reader.ts';
