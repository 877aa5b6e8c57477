/** The protocol's wire audio (docs/spec/protocols.md §1.5): its formats, its base64, its refusals. */
import {
  type MediaDecoder,
  type MediaEncoder,
  bytesOfBase64,
  bytesOfMs,
  CODECS,
  createAudioDecoder as decoderOf,
  createAudioEncoder as encoderOf,
  type MediaFormat,
  resampleAll,
} from '../media/index.ts';
import { MAX_APPEND_BYTES } from './client-events.ts';
import { refusal } from './protocol-error.ts';
import type { AudioFormat } from './session-fields.ts';

/** Formats on the wire, as media has them. */
const MEDIA: Readonly<Record<AudioFormat['type'], MediaFormat>> = {
  'audio/pcm': { codec: 'pcm16', rateHz: 24_000 },
  'audio/pcmu': { codec: 'mu-law', rateHz: 8_000 },
  'audio/pcma': { codec: 'a-law', rateHz: 8_000 },
};

export const createAudioDecoder = ({ type }: AudioFormat): MediaDecoder => decoderOf(MEDIA[type]);
export const createAudioEncoder = ({ type }: AudioFormat): MediaEncoder => encoderOf(MEDIA[type]);

/** A whole recording at once. */
export function decodeRecording({ type }: AudioFormat, bytes: Buffer, toRateHz: number): Float32Array {
  const { codec, rateHz } = MEDIA[type];
  return resampleAll(CODECS[codec].decode(bytes), rateHz, toRateHz);
}

/** A whole recording at once, base64. */
export function encodeRecording({ type }: AudioFormat, samples: Float32Array, fromRateHz: number): string {
  const { codec, rateHz } = MEDIA[type];
  return CODECS[codec].encode(resampleAll(samples, fromRateHz, rateHz)).toString('base64');
}

export const bytesOf = ({ type }: AudioFormat, ms: number): number => bytesOfMs(MEDIA[type], ms);

/** The bytes of a base64 audio field. Refuses what is not base64 and more than 15 MiB. */
export function audioBytes(base64: string, param: string): Buffer {
  const bytes = decodeBase64(base64, param);
  if (bytes.length > MAX_APPEND_BYTES) {
    throw refusal(
      'string_above_max_length',
      `${bytes.length} bytes of audio exceed ${MAX_APPEND_BYTES}.`,
      param,
    );
  }
  return bytes;
}

/** The bytes of a whole recording; half a sample at its end is refused: nothing follows that could complete it. */
export function recordingBytes(base64: string, format: AudioFormat, param: string): Buffer {
  const bytes = audioBytes(base64, param);
  if (bytes.length % CODECS[MEDIA[format.type].codec].bytesPerSample !== 0) {
    throw refusal('invalid_audio', `${bytes.length} bytes are not whole 16-bit samples.`, param);
  }
  return bytes;
}

export function decodeBase64(text: string, param: string): Buffer {
  return bytesOfBase64(text) ?? notBase64(param);
}

export function notBase64(param: string): never {
  throw refusal('invalid_base64', 'The text is not base64.', param);
}
