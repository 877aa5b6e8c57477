/** Wire audio (docs/spec/protocols.md §1.5) to and from the session's: 16 kHz in, 24 kHz out, mono floats in [−1, 1]. */

import { opsOf } from '../../kernels/engine/index.ts';
import { g711 } from '../../kernels/g711/reference.ts';
import { MAX_APPEND_BYTES } from './client-events.ts';
import { refusal } from './protocol-error.ts';
import type { AudioFormat } from './session-fields.ts';

export const SESSION_INPUT_RATE_HZ = 16_000;
export const SESSION_OUTPUT_RATE_HZ = 24_000;

/** Room for the samples of one append, kept from one to the next. */
interface Scratch {
  samples: Float32Array;
}

interface WireCodec {
  readonly rateHz: number;
  readonly bytesPerSample: 1 | 2;
  /** Valid until the next call, where `scratch` is given. */
  decode(bytes: Buffer, scratch?: Scratch): Float32Array;
  encode(samples: Float32Array): Buffer;
}

const CODECS: Readonly<Record<AudioFormat['type'], WireCodec>> = {
  'audio/pcm': { rateHz: 24_000, bytesPerSample: 2, decode: decodePcm16, encode: encodePcm16 },
  'audio/pcmu': {
    rateHz: 8_000,
    bytesPerSample: 1,
    decode: bytes => g711['mu-law'].decode(bytes),
    encode: samples => Buffer.from(g711['mu-law'].encode(samples).buffer),
  },
  'audio/pcma': {
    rateHz: 8_000,
    bytesPerSample: 1,
    decode: bytes => g711['a-law'].decode(bytes),
    encode: samples => Buffer.from(g711['a-law'].encode(samples).buffer),
  },
};

/** One stream from the client; the resampler's state spans appends, and so does half a sample. */
export interface AudioDecoder {
  push(bytes: Buffer): Float32Array;
  /** Where a turn ends (commit, clear) half a sample has no other half any more. */
  dropHalfSample(): void;
}

/** One stream to the client; `finish` gives what the resampler still holds. */
export interface AudioEncoder {
  push(samples: Float32Array): Buffer;
  finish(): Buffer;
}

export function createAudioDecoder(format: AudioFormat): AudioDecoder {
  const codec = CODECS[format.type];
  const resampler = opsOf('auto').resampler(codec.rateHz, SESSION_INPUT_RATE_HZ);
  const scratch = { samples: new Float32Array(0) };
  let half: Buffer | null = null;
  const wholeSamples = (bytes: Buffer): Buffer => {
    const all = half ? Buffer.concat([half, bytes]) : bytes;
    const odd = all.length % codec.bytesPerSample;
    half = odd === 0 ? null : Buffer.from(all.subarray(all.length - odd));
    return odd === 0 ? all : all.subarray(0, all.length - odd);
  };
  return {
    // The resampler copies what it keeps.
    push: bytes => resampler.push(codec.decode(wholeSamples(bytes), scratch)),
    dropHalfSample: () => {
      half = null;
    },
  };
}

export function createAudioEncoder(format: AudioFormat): AudioEncoder {
  const codec = CODECS[format.type];
  const resampler = opsOf('auto').resampler(SESSION_OUTPUT_RATE_HZ, codec.rateHz);
  return {
    push: samples => codec.encode(resampler.push(samples)),
    finish: () => codec.encode(resampler.finish()),
  };
}

/** A whole recording at once. */
export function decodeRecording(format: AudioFormat, bytes: Buffer, toRateHz: number): Float32Array {
  const codec = CODECS[format.type];
  return convert(codec.decode(bytes), codec.rateHz, toRateHz);
}

/** A whole recording at once, base64. */
export function encodeRecording(format: AudioFormat, samples: Float32Array, fromRateHz: number): string {
  const codec = CODECS[format.type];
  return codec.encode(convert(samples, fromRateHz, codec.rateHz)).toString('base64');
}

function convert(samples: Float32Array, fromRateHz: number, toRateHz: number): Float32Array {
  if (fromRateHz === toRateHz) return samples;
  const resampler = opsOf('auto').resampler(fromRateHz, toRateHz);
  const parts = [resampler.push(samples), resampler.finish()];
  const joined = new Float32Array(parts[0].length + parts[1].length);
  joined.set(parts[0]);
  joined.set(parts[1], parts[0].length);
  return joined;
}

export function bytesOf(format: AudioFormat, ms: number): number {
  const { rateHz, bytesPerSample } = CODECS[format.type];
  return Math.round((rateHz * ms) / 1000) * bytesPerSample;
}

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
  if (bytes.length % CODECS[format.type].bytesPerSample !== 0) {
    throw refusal('invalid_audio', `${bytes.length} bytes are not whole 16-bit samples.`, param);
  }
  return bytes;
}

/** Buffer.from skips what is no base64; a shorter result than the text promises gives it away. */
export function decodeBase64(base64: string, param: string): Buffer {
  const padding = base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0;
  const digits = base64.length - padding;
  const bytes = Buffer.from(base64, 'base64');
  if (digits % 4 === 1 || bytes.length !== Math.floor((digits * 3) / 4)) {
    throw refusal('invalid_base64', 'The text is not base64.', param);
  }
  return bytes;
}

function decodePcm16(bytes: Buffer, scratch: Scratch = { samples: new Float32Array(0) }): Float32Array {
  const count = bytes.length / 2;
  if (scratch.samples.length < count) scratch.samples = new Float32Array(count);
  const samples = scratch.samples.subarray(0, count);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let i = 0; i < samples.length; i++) samples[i] = view.getInt16(2 * i, true) / 32_768;
  return samples;
}

function encodePcm16(samples: Float32Array): Buffer {
  const bytes = Buffer.allocUnsafe(2 * samples.length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let i = 0; i < samples.length; i++) {
    const value = Math.round(samples[i] * 32_768);
    view.setInt16(2 * i, Math.max(-32_768, Math.min(32_767, value || 0)), true);
  }
  return bytes;
}
