/**
 * What every door that carries sound needs: codecs, streams at the session's rates, order, loss and pace. Pure; clocks
 * come in.
 */
export { bytesOfBase64, bytesOfLongBase64 } from './base64.ts';
export { bytesOfMs, CODECS, type CodecName, type MediaFormat, msOfBytes } from './codec.ts';
export { goertzel, goertzelCoefficient } from './goertzel.ts';
export { AudioIntake } from './intake.ts';
export {
  isSameFormat,
  type LineDecoder,
  type LineEncoder,
  type LineFormat,
  lineDecoder,
  lineEncoder,
  packetMs,
  silentFrame,
} from './line-sound.ts';
export {
  loadOpus,
  lostOpus,
  OPUS_CLOCK_HZ,
  OPUS_FRAME_MS,
  type OpusDecoder,
  type OpusEncoder,
  type OpusLibrary,
  opusPacketMs,
  type OpusWishes,
  type TunableOpusLibrary,
} from './opus.ts';
export { type OpusFormat, OpusVoice } from './opus-voice.ts';
export {
  type MediaDecoder,
  type MediaEncoder,
  createAudioDecoder,
  createAudioEncoder,
  resampleAll,
  SESSION_INPUT_RATE_HZ,
  SESSION_OUTPUT_RATE_HZ,
} from './streams.ts';
export { ArrivalJitter } from './arrival-jitter.ts';
export { KeyToneDetector, keyTones } from './key-tones.ts';
export { type Heard, JitterBuffer, type JitterCounts, type Packet } from './jitter-buffer.ts';
export { SequenceUnwrapper } from './sequence.ts';
export type { TrackSound } from './track-sound.ts';
export { VoiceMix } from './voice-mix.ts';
