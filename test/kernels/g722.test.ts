import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../actors/core/index.ts';
import { g722Decoder, g722Encoder } from '../../kernels/g722/reference.ts';

const fixture = (name: string) => readFileSync(new URL(`../fixtures/g722/${name}`, import.meta.url));

function samplesOf(bytes: Buffer): Float32Array {
  return Float32Array.from({ length: bytes.length / 2 }, (_, n) => bytes.readInt16LE(2 * n) / 32_768);
}

// A quarter of a second of speech, coded and decoded by ffmpeg 5.1's g722 (64 kbit/s).
describe('G.722', () => {
  it('codes speech to the bytes of an independent coder', () => {
    const bytes = g722Encoder().encode(samplesOf(fixture('speech.s16')));
    expect(Buffer.from(bytes).equals(fixture('speech.g722'))).toBe(true);
  });

  it('decodes them to the samples of an independent decoder', () => {
    expect(g722Decoder().decode(fixture('speech.g722'))).toEqual(samplesOf(fixture('decoded.s16')));
  });

  it('keeps tones of both bands, and an odd sample for later', () => {
    for (const hz of [400, 3000, 6000]) {
      const tone = Float32Array.from(
        { length: 8001 },
        (_, n) => 0.4 * Math.sin((2 * Math.PI * hz * n) / 16_000),
      );
      const encoder = g722Encoder();
      const parts = [tone.subarray(0, 333), tone.subarray(333)].map(part => encoder.encode(part));
      expect(parts.map(({ length }) => length)).toEqual([166, 3834]);
      const heard = g722Decoder().decode(Buffer.concat(parts));
      // The power that is left, once the predictors have found the tone.
      const power =
        heard.subarray(2000).reduce((sum, value) => sum + value * value, 0) / (heard.length - 2000);
      expect(Math.abs(10 * Math.log10(power / 0.08))).toBeLessThan(1);
    }
  });

  it('takes any bytes and any samples, and stays within full scale', () => {
    const random = createRandom(722);
    const bytes = Uint8Array.from({ length: 20_000 }, () => Math.floor(random.next() * 256));
    for (const sample of g722Decoder().decode(bytes)) expect(Math.abs(sample)).toBeLessThanOrEqual(1);
    const wild = Float32Array.from([Number.NaN, Infinity, -Infinity, 9, -9, 0.5, -0.5, 1e30]);
    expect(g722Encoder().encode(wild)).toHaveLength(4);
  });
});
