import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  createAudioDecoder,
  createAudioEncoder,
  decodeRecording,
  encodeRecording,
  recordingBytes,
} from '../../protocols/realtime/audio-format.ts';
import type { AudioFormat } from '../../protocols/realtime/session-fields.ts';

const PCM: AudioFormat = { type: 'audio/pcm', rate: 24_000 };
const FORMATS: readonly AudioFormat[] = [PCM, { type: 'audio/pcmu' }, { type: 'audio/pcma' }];
const tone = (rateHz: number, ms: number) =>
  Float32Array.from(
    { length: (rateHz * ms) / 1000 },
    (_, n) => 0.5 * Math.sin((2 * Math.PI * 440 * n) / rateHz),
  );

/** Signal to error, away from the ends. */
function snrDb(actual: Float32Array, wanted: Float32Array): number {
  let [signal, error] = [0, 0];
  for (let n = 400; n < Math.min(actual.length, wanted.length) - 400; n++) {
    signal += wanted[n] ** 2;
    error += (actual[n] - wanted[n]) ** 2;
  }
  return 10 * Math.log10(signal / error);
}

describe('wire audio', () => {
  // G.711 gives about 38 dB at this level; 16-bit PCM is limited by rounding and the resampler's 90 dB.
  it.each([
    [PCM, 80],
    [FORMATS[1], 34],
    [FORMATS[2], 34],
  ] as const)('keeps a tone in %o', (format, leastDb) => {
    const bytes = Buffer.from(encodeRecording(format, tone(24_000, 500), 24_000), 'base64');
    expect(bytes.length).toBe(format.type === 'audio/pcm' ? 500 * 48 : 500 * 8);
    const back = decodeRecording(format, bytes, 16_000);
    expect(back.length).toBe(8000);
    expect(snrDb(back, tone(16_000, 500))).toBeGreaterThan(leastDb);
  });

  it('is the same however it is cut into appends and deltas', () => {
    const bytes = Buffer.from(encodeRecording(PCM, tone(24_000, 200), 24_000), 'base64');
    const whole = createAudioDecoder(PCM).push(bytes);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 4000 }), { maxLength: 8 }), cuts => {
        const decoder = createAudioDecoder(PCM);
        const edges = [0, ...cuts.map(cut => cut * 2).sort((a, b) => a - b), bytes.length];
        const parts = edges
          .slice(1)
          .map((end, n) => decoder.push(bytes.subarray(edges[n], Math.max(end, edges[n]))));
        expect(parts.flatMap(part => [...part])).toEqual([...whole]);
      }),
      { numRuns: 30 },
    );
  });

  it('ends with all of its samples', () => {
    for (const format of FORMATS) {
      const encoder = createAudioEncoder(format);
      const bytes = [encoder.push(tone(24_000, 60)), encoder.push(tone(24_000, 60)), encoder.finish()];
      expect(Buffer.concat(bytes).length).toBe(120 * (format.type === 'audio/pcm' ? 48 : 8));
    }
  });

  it('clips what is too loud and takes NaN for silence', () => {
    const bytes = Buffer.from(encodeRecording(PCM, Float32Array.of(2, -2, Number.NaN, 0), 24_000), 'base64');
    expect([0, 2, 4, 6].map(at => bytes.readInt16LE(at))).toEqual([32_767, -32_768, 0, 0]);
  });

  it('is refused when it is no base64 or half a sample, whatever the text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.base64String()), text => {
        const isBase64 = /^[A-Za-z0-9+/_-]*={0,2}$/.test(text) && text.replace(/=+$/, '').length % 4 !== 1;
        const wholeSamples = Math.floor((text.replace(/=+$/, '').length * 3) / 4) % 2 === 0;
        const take = () => recordingBytes(text, PCM, 'audio');
        if (isBase64 && wholeSamples)
          expect(take().length).toBe(Math.floor((text.replace(/=+$/, '').length * 3) / 4));
        else
          expect(take).toThrow(
            expect.objectContaining({
              code: isBase64 ? 'client.invalid_audio' : 'client.invalid_base64',
            }),
          );
      }),
    );
  });
});
