/** How samples stand on a wire. */
import { g711 } from '../../kernels/g711/reference.ts';
import { g722Decoder, g722Encoder } from '../../kernels/g722/reference.ts';

/**
 * `pcm16`: signed, little-endian. The laws are of ITU-T G.711; `g722`, which is of 16 kHz only, of ITU-T G.722 at 64
 * kbit/s. All mono.
 */
export type CodecName = 'pcm16' | 'mu-law' | 'a-law' | 'g722';

export interface MediaFormat {
  readonly codec: CodecName;
  readonly rateHz: number;
}

/** Room for decoded samples, kept from one call to the next. */
export interface Scratch {
  samples: Float32Array;
}

export interface Codec {
  readonly bytesPerSample: 0.5 | 1 | 2;
  /** What stands for silence. */
  readonly silenceByte: number;
  /** Whole samples; valid until the next call, where `scratch` is given. */
  decode(bytes: Buffer, scratch?: Scratch): Float32Array;
  encode(samples: Float32Array): Buffer;
  /**
   * For the pieces of one stream, which `decode` and `encode` take for a whole one each; absent: the codec remembers
   * nothing.
   */
  stream?(): Pick<Codec, 'decode' | 'encode'>;
}

const law = (name: 'mu-law' | 'a-law', silenceByte: number): Codec => ({
  bytesPerSample: 1,
  silenceByte,
  decode: (bytes, scratch) => g711[name].decode(bytes, scratch && roomIn(scratch, bytes.length)),
  encode(samples) {
    const bytes = Buffer.allocUnsafe(samples.length);
    g711[name].encode(samples, bytes);
    return bytes;
  },
});

export const CODECS: Readonly<Record<CodecName, Codec>> = {
  pcm16: { bytesPerSample: 2, silenceByte: 0, decode: decodePcm16, encode: encodePcm16 },
  'mu-law': law('mu-law', 0xff),
  'a-law': law('a-law', 0xd5),
  g722: {
    bytesPerSample: 0.5,
    silenceByte: 0xff,
    decode: bytes => g722Decoder().decode(bytes),
    encode: samples => Buffer.from(g722Encoder().encode(samples).buffer),
    stream: g722Stream,
  },
};

function g722Stream(): Pick<Codec, 'decode' | 'encode'> {
  const decoder = g722Decoder();
  const encoder = g722Encoder();
  return {
    decode: bytes => decoder.decode(bytes),
    encode: samples => Buffer.from(encoder.encode(samples).buffer),
  };
}

/** Bytes of so much sound. */
export function bytesOfMs({ codec, rateHz }: MediaFormat, ms: number): number {
  return Math.round((rateHz * ms) / 1000) * CODECS[codec].bytesPerSample;
}

/** Milliseconds of so many bytes. */
export function msOfBytes({ codec, rateHz }: MediaFormat, bytes: number): number {
  return (bytes / CODECS[codec].bytesPerSample / rateHz) * 1000;
}

/** Exactly so much; a stream's packets are mostly of one length. */
function roomIn(scratch: Scratch, count: number): Float32Array {
  if (scratch.samples.length !== count) scratch.samples = new Float32Array(count);
  return scratch.samples;
}

function decodePcm16(bytes: Buffer, scratch: Scratch = { samples: new Float32Array(0) }): Float32Array {
  const samples = roomIn(scratch, bytes.length / 2);
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
