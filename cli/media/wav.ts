import { accessSync, constants, existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import wavefile from 'wavefile';
import { RuntimeError } from '../../kernels/errors.ts';

const MAX_WAV_BYTES = 512 << 20;
const MAX_CHANNELS = 64;
const MAX_SAMPLE_RATE_HZ = 768_000;
/** PCM, float, A-law, µ-law, and the extensible header of all of them. */
const FORMAT_TAGS = new Set([1, 3, 6, 7, 0xfffe]);
/** Integers, floats, A-law and µ-law, as the library names them. */
const BIT_DEPTHS = new Set(['8', '16', '24', '32', '32f', '64', '8a', '8m']);
/** Who writes a WAV into a pipe cannot know its length and announces one near 2 or 4 GiB. */
const STREAMED_BYTES = 0x7fff_0000;

export interface Recording {
  readonly sampleRate: number;
  /** Mono in [−1, 1]; several channels are averaged. */
  readonly samples: Float32Array;
}

/** @throws RuntimeError `media.unreadable` */
export function readWav(path: string): Recording {
  try {
    const bytes = statSync(path).size;
    if (bytes > MAX_WAV_BYTES) throw new Error(`larger than ${MAX_WAV_BYTES} bytes`);
    const wav = new wavefile.WaveFile(readFileSync(path));
    checkFormat(wav);
    if (wav.bitDepth === '8a') wav.fromALaw('16');
    if (wav.bitDepth === '8m') wav.fromMuLaw('16');
    const { sampleRate, bitsPerSample } = wav.fmt as { sampleRate: number; bitsPerSample: number };
    const isFloat = wav.bitDepth === '32f' || wav.bitDepth === '64';
    const channels = channelsOf(wav.getSamples(false, Float64Array));
    const samples = normalised(mix(channels), isFloat, bitsPerSample);
    if (!samples.every(Number.isFinite)) throw new Error('it holds samples that are no finite numbers');
    return { sampleRate, samples };
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    throw new RuntimeError(
      'media.unreadable',
      'Not a readable WAV file.',
      { path, cause },
      'Give PCM, float, A-law or µ-law WAV.',
    );
  }
}

/** What the library takes without a look. */
function checkFormat(wav: InstanceType<typeof wavefile.WaveFile>): void {
  const { audioFormat, numChannels, sampleRate } = wav.fmt as Record<string, number>;
  const { chunkSize, samples } = wav.data as { chunkSize: number; samples: Uint8Array };
  if (!FORMAT_TAGS.has(audioFormat)) throw new Error(`sound of the format tag ${audioFormat}`);
  if (!BIT_DEPTHS.has(wav.bitDepth)) throw new Error(`samples of ${wav.bitDepth} bits`);
  if (numChannels < 1 || numChannels > MAX_CHANNELS) throw new Error(`${numChannels} channels`);
  if (sampleRate < 1 || sampleRate > MAX_SAMPLE_RATE_HZ) throw new Error(`a sample rate of ${sampleRate} Hz`);
  if (chunkSize > samples.length && chunkSize < STREAMED_BYTES)
    throw new Error(`cut short: ${samples.length} of ${chunkSize} bytes of sound are there`);
}

/** Fails before a long run, not after it. @throws RuntimeError `media.unwritable` */
export function checkWritable(path: string): void {
  try {
    accessSync(existsSync(path) ? path : dirname(resolve(path)), constants.W_OK);
  } catch (error) {
    const cause = (error as NodeJS.ErrnoException).code;
    throw new RuntimeError(
      'media.unwritable',
      'The file cannot be written.',
      { path, cause },
      'Choose another place.',
    );
  }
}

/** 16-bit mono. */
export function writeWav(path: string, { samples, sampleRate }: Recording): void {
  const pcm = Int16Array.from(samples, value => Math.round(Math.max(-1, Math.min(1, value)) * 32767));
  const wav = new wavefile.WaveFile();
  wav.fromScratch(1, sampleRate, '16', pcm);
  writeFileSync(path, wav.toBuffer());
}

function channelsOf(samples: unknown): readonly Float64Array[] {
  return samples instanceof Float64Array ? [samples] : (samples as Float64Array[]);
}

function mix(channels: readonly Float64Array[]): Float64Array {
  if (channels.length === 1) return channels[0];
  return channels[0].map(
    (_, at) => channels.reduce((sum, channel) => sum + channel[at], 0) / channels.length,
  );
}

/** Integers are divided by 2^(bits − 1), the same on both sides of zero; 8-bit files are unsigned. */
function normalised(samples: Float64Array, isFloat: boolean, bits: number): Float32Array {
  if (isFloat) return Float32Array.from(samples);
  const [scale, middle] = [2 ** (bits - 1), bits === 8 ? 128 : 0];
  return Float32Array.from(samples, value => (value - middle) / scale);
}
