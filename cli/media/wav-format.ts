/**
 * The bytes of a WAV file: RIFF chunks, the `fmt ` header and its samples (Microsoft RIFF MCI, RFC 2361, EBU Tech 3306
 * for RF64).
 */
import { g711 } from '../../kernels/g711/reference.ts';
import { toPcm16 } from './pcm16.ts';

export interface MonoSound {
  readonly sampleRate: number;
  /** Mono in [−1, 1]. */
  readonly samples: Float32Array;
}

/** One sound, channel by channel, in [−1, 1]. */
export interface ChannelSound {
  readonly sampleRate: number;
  readonly channels: readonly Float32Array[];
}

/** Codings that need a decoder of their own, by format tag; ffmpeg has them. */
const FOREIGN: Readonly<Record<number, string>> = {
  2: 'Microsoft ADPCM',
  17: 'IMA ADPCM',
  49: 'GSM 6.10',
  80: 'MPEG audio',
  85: 'MP3',
  255: 'AAC',
};

/** A coding that is sound, but not ours to decode. */
export class ForeignCoding extends Error {}

const EXTENSIBLE = 0xfffe;
/** What follows the format tag in the identifier of a sub-format. */
const SUB_FORMAT_TAIL = '000000001000800000aa00389b71';
const MAX_CHANNELS = 64;
const MAX_SAMPLE_RATE_HZ = 768_000;
/** Who writes into a pipe cannot know the length: 0, or one near 2 or 4 GiB, stands for "to the end". */
const STREAMED_BYTES = 0x7fff_0000;
const HEADER_BYTES = 12;
const CHUNK_BYTES = 8;

interface Format {
  readonly tag: number;
  readonly channels: number;
  readonly sampleRate: number;
  /** Of one sample of one channel, as it is stored. */
  readonly bytes: number;
}

export function isWav(bytes: Buffer): boolean {
  const [form, kind] = [bytes.toString('latin1', 0, 4), bytes.toString('latin1', 8, 12)];
  return ['RIFF', 'RF64', 'BW64'].includes(form) && kind === 'WAVE';
}

/**
 * PCM of 8, 16, 24 or 32 bits, floats of 32 or 64, A-law and µ-law, also behind an extensible header.
 * @throws ForeignCoding; Error that says why in a few words
 */
export function decodeWav(file: Buffer): ChannelSound {
  if (!isWav(file)) throw new Error('no WAV file');
  let format: Format | null = null;
  let longBytes = 0;
  for (let at = HEADER_BYTES; at + CHUNK_BYTES <= file.length; ) {
    const name = file.toString('latin1', at, at + 4);
    const announced = file.readUInt32LE(at + 4);
    const body = at + CHUNK_BYTES;
    if (name === 'ds64' && body + 16 <= file.length) longBytes = Number(file.readBigUInt64LE(body + 8));
    if (name === 'fmt ') format = readFormat(file.subarray(body, body + announced));
    if (name === 'data') {
      if (!format) throw new Error('the samples come before their format');
      return decodeSamples(format, soundOf(file.subarray(body), announced, longBytes));
    }
    at = body + announced + (announced % 2);
  }
  throw new Error(format ? 'no samples in it' : 'no format in it');
}

function readFormat(header: Buffer): Format {
  if (header.length < 16) throw new Error('a header that is cut short');
  const channels = header.readUInt16LE(2);
  const sampleRate = header.readUInt32LE(4);
  const bits = header.readUInt16LE(14);
  let tag = header.readUInt16LE(0);
  if (tag === EXTENSIBLE) {
    if (header.length < 40) throw new Error('an extensible header that is cut short');
    if (header.toString('hex', 26, 40) !== SUB_FORMAT_TAIL) throw new Error('a private sub-format');
    tag = header.readUInt16LE(24);
  }
  checkCoding(tag, bits);
  if (channels < 1 || channels > MAX_CHANNELS) throw new Error(`${channels} channels`);
  if (sampleRate < 1 || sampleRate > MAX_SAMPLE_RATE_HZ) throw new Error(`a sample rate of ${sampleRate} Hz`);
  return { tag, channels, sampleRate, bytes: bits / 8 };
}

function checkCoding(tag: number, bits: number): void {
  const widths = { 1: [8, 16, 24, 32], 3: [32, 64], 6: [8], 7: [8] }[tag];
  if (FOREIGN[tag]) throw new ForeignCoding(`${FOREIGN[tag]} (format tag ${tag})`);
  if (!widths) throw new ForeignCoding(`sound of the format tag ${tag}`);
  if (!widths.includes(bits)) throw new Error(`samples of ${bits} bits`);
}

/** The bytes of sound: as many as announced, or all that follow where nobody could know. */
function soundOf(rest: Buffer, announced: number, longBytes: number): Buffer {
  if (announced === 0xffff_ffff && longBytes > 0 && longBytes <= rest.length)
    return rest.subarray(0, longBytes);
  if (announced >= STREAMED_BYTES || (announced === 0 && !isChunks(rest))) return rest;
  if (announced > rest.length)
    throw new Error(`cut short: ${rest.length} of ${announced} bytes of sound are there`);
  return rest.subarray(0, announced);
}

/** Behind a sound that is empty in truth only whole chunks stand. */
function isChunks(rest: Buffer): boolean {
  let at = 0;
  while (at + CHUNK_BYTES <= rest.length) {
    if (!/^[\x20-\x7e]{4}$/.test(rest.toString('latin1', at, at + 4))) return false;
    const bytes = rest.readUInt32LE(at + 4);
    at += CHUNK_BYTES + bytes + (bytes % 2);
  }
  return at === rest.length;
}

function decodeSamples({ tag, channels, sampleRate, bytes }: Format, data: Buffer): ChannelSound {
  const count = Math.floor(data.length / (channels * bytes));
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  const read = readerOf(tag, bytes, data, view);
  const sounds = Array.from({ length: channels }, (_, channel) => {
    const samples = new Float32Array(count);
    let at = channel * bytes;
    for (let i = 0; i < count; i++, at += channels * bytes) samples[i] = read(at);
    return samples;
  });
  if (tag === 3 && !sounds.every(samples => samples.every(Number.isFinite)))
    throw new Error('it holds samples that are no finite numbers');
  return { sampleRate, channels: sounds };
}

/** Integers are divided by 2^(bits − 1), the same on both sides of zero; those of 8 bits are unsigned. */
function readerOf(tag: number, bytes: number, data: Buffer, view: DataView): (at: number) => number {
  if (tag === 6 || tag === 7) {
    const law = g711[tag === 6 ? 'a-law' : 'mu-law'];
    const values = law.decode(Uint8Array.from({ length: 256 }, (_, code) => code));
    return at => values[data[at]];
  }
  if (tag === 3) return bytes === 4 ? at => view.getFloat32(at, true) : at => view.getFloat64(at, true);
  if (bytes === 1) return at => (data[at] - 128) / 128;
  if (bytes === 2) return at => view.getInt16(at, true) / 2 ** 15;
  if (bytes === 3) return at => data.readIntLE(at, 3) / 2 ** 23;
  return at => view.getInt32(at, true) / 2 ** 31;
}

/** 16-bit mono. */
export function encodeWav(samples: Float32Array, sampleRate: number): Buffer {
  const sound = toPcm16(samples);
  const file = Buffer.alloc(44);
  file.write('RIFF', 0, 'latin1');
  file.writeUInt32LE(36 + sound.length, 4);
  file.write('WAVEfmt ', 8, 'latin1');
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(1, 20);
  file.writeUInt16LE(1, 22);
  file.writeUInt32LE(sampleRate, 24);
  file.writeUInt32LE(2 * sampleRate, 28);
  file.writeUInt16LE(2, 32);
  file.writeUInt16LE(16, 34);
  file.write('data', 36, 'latin1');
  file.writeUInt32LE(sound.length, 40);
  return Buffer.concat([file, sound]);
}
