/** Streams of wire audio to and from the session's: 16 kHz in, 24 kHz out, mono floats in [−1, 1]. */
import { opsOf } from '../../kernels/engine/index.ts';
import { CODECS, type MediaFormat } from './codec.ts';

export const SESSION_INPUT_RATE_HZ = 16_000;
export const SESSION_OUTPUT_RATE_HZ = 24_000;

/** One stream from outside; the resampler's state spans packets, and so does half a sample. */
export interface MediaDecoder {
  push(bytes: Buffer): Float32Array;
  /** Where a turn or a stream ends, half a sample has no other half any more. */
  dropHalfSample(): void;
}

/** One stream to the outside; `finish` gives what the resampler still holds, and the stream is fresh again. */
export interface MediaEncoder {
  push(samples: Float32Array): Buffer;
  finish(): Buffer;
}

export function createAudioDecoder({ codec, rateHz }: MediaFormat): MediaDecoder {
  const { bytesPerSample } = CODECS[codec];
  const { decode } = CODECS[codec].stream?.() ?? CODECS[codec];
  const resampler = opsOf('auto').resampler(rateHz, SESSION_INPUT_RATE_HZ);
  const scratch = { samples: new Float32Array(0) };
  let half: Buffer | null = null;
  const wholeSamples = (bytes: Buffer): Buffer => {
    const all = half ? Buffer.concat([half, bytes]) : bytes;
    const odd = all.length % bytesPerSample;
    half = odd === 0 ? null : Buffer.from(all.subarray(all.length - odd));
    return odd === 0 ? all : all.subarray(0, all.length - odd);
  };
  return {
    // The resampler copies what it keeps.
    push: bytes => resampler.push(decode(wholeSamples(bytes), scratch)),
    dropHalfSample: () => {
      half = null;
    },
  };
}

export function createAudioEncoder(
  { codec, rateHz }: MediaFormat,
  fromRateHz = SESSION_OUTPUT_RATE_HZ,
): MediaEncoder {
  const { encode } = CODECS[codec].stream?.() ?? CODECS[codec];
  const resampler = opsOf('auto').resampler(fromRateHz, rateHz);
  return {
    push: samples => encode(resampler.push(samples)),
    finish: () => encode(resampler.finish()),
  };
}

/** A whole recording at once. */
export function resampleAll(samples: Float32Array, fromRateHz: number, toRateHz: number): Float32Array {
  if (fromRateHz === toRateHz) return samples;
  const resampler = opsOf('auto').resampler(fromRateHz, toRateHz);
  const parts = [resampler.push(samples), resampler.finish()];
  const joined = new Float32Array(parts[0].length + parts[1].length);
  joined.set(parts[0]);
  joined.set(parts[1], parts[0].length);
  return joined;
}
