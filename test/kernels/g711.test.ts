import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { g711 } from '../../kernels/g711/reference.ts';

const allBytes = Uint8Array.from({ length: 256 }, (_, i) => i);
const pcm = (samples: Float32Array): Int16Array => Int16Array.from(samples, value => value * 32768);
const fromPcm = (values: ArrayLike<number>): Float32Array =>
  Float32Array.from(values, value => value / 32768);
const sha256 = (array: Uint8Array | Int16Array): string =>
  createHash('sha256')
    .update(new Uint8Array(array.buffer, array.byteOffset, array.byteLength))
    .digest('hex');
const range = (from: number, to: number): Int32Array =>
  Int32Array.from({ length: to - from }, (_, i) => from + i);

describe('µ-law', () => {
  const law = g711['mu-law'];

  it('decodes the code points of G.711 table 2', () => {
    expect([...pcm(law.decode(Uint8Array.of(0x00, 0x01, 0x70, 0x7f, 0x80, 0xff, 0xfe, 0xef)))]).toEqual([
      -32124, -31100, -120, 0, 32124, 0, 8, 132,
    ]);
  });

  it('decodes all 256 bytes and encodes all positive samples like Python’s audioop', () => {
    expect(sha256(pcm(law.decode(allBytes)))).toBe(
      '3dab54339e520bb2c924826e3b72a917a2b612e9fd12fc867500f1d983a75827',
    );
    expect(sha256(law.encode(fromPcm(range(0, 32768))))).toBe(
      '912062bf9c931c7ebc1dc1fd1d74faf0cfefcd47e8408a3ed4d07aa59f0f1c20',
    );
  });

  // audioop rounds negative samples before it takes their magnitude, which moves −1 … −3 away from 0; ITU's own
  // code takes the one's complement, so that −1 − x mirrors x.
  it('mirrors negative samples', () => {
    const positive = law.encode(fromPcm(range(0, 32768)));
    const negative = law.encode(fromPcm(range(0, 32768).map(x => -1 - x)));
    expect(negative).toEqual(positive.map(byte => byte & 0x7f));
  });
});

describe('A-law', () => {
  const law = g711['a-law'];

  it('decodes the code points of G.711 table 1', () => {
    expect([...pcm(law.decode(Uint8Array.of(0x00, 0x01, 0x2a, 0x55, 0x54, 0xd5, 0x80, 0xaa, 0xff)))]).toEqual(
      [-5504, -5248, -32256, -8, -24, 8, 5504, 32256, 848],
    );
  });

  it('decodes all 256 bytes and encodes all 65536 samples like Python’s audioop', () => {
    expect(sha256(pcm(law.decode(allBytes)))).toBe(
      'e04788d110e58ff8c70c93b8480190d973e3b67876b6119abbaec766cc75c174',
    );
    expect(sha256(law.encode(fromPcm(range(-32768, 32768))))).toBe(
      '38488f6fd710f4686360edc4d38639f96c491595ef93f8eb8d62d5e07ca6ce7b',
    );
  });
});

describe.each(['mu-law', 'a-law'] as const)('%s', name => {
  const law = g711[name];

  it('returns every byte through a round trip, negative zero as zero', () => {
    const again = law.encode(law.decode(allBytes));
    const expected = allBytes.map(byte => (name === 'mu-law' && byte === 0x7f ? 0xff : byte));
    expect(again).toEqual(expected);
  });

  // At the edge of a segment G.711's decision value is not the middle between two levels, but half of the finer step
  // away from the finer level; hence the larger of the two gaps.
  it('keeps every 16-bit sample within half a step, in order', () => {
    const levels = Float64Array.from(new Set(pcm(law.decode(allBytes)))).sort();
    const samples = range(levels[0], levels[levels.length - 1] + 1);
    const decoded = pcm(law.decode(law.encode(fromPcm(samples))));
    let wrong = 0;
    samples.forEach((sample, i) => {
      const at = levels.indexOf(decoded[i]);
      const gap = Math.max(
        levels[at] - (levels[at - 1] ?? levels[at]),
        (levels[at + 1] ?? levels[at]) - levels[at],
      );
      const inOrder = i === 0 || decoded[i] >= decoded[i - 1];
      if (Math.abs(decoded[i] - sample) > gap / 2 || !inOrder) wrong++;
    });
    expect(wrong).toBe(0);
  });

  it('clips what is too loud and takes NaN for silence', () => {
    const loud = law.encode(Float32Array.of(2, -2, Number.POSITIVE_INFINITY, Number.NaN));
    expect(loud).toEqual(law.encode(Float32Array.of(1, -1, 1, 0)));
  });
});
