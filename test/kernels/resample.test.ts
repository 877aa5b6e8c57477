import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createResampler } from '../../kernels/resample/reference.ts';
import { cutAt, joined, seededArray } from '../support/arrays.ts';

const RATES = [8000, 16000, 24000, 48000];
const pairs = RATES.flatMap(from => RATES.filter(to => to !== from).map(to => [from, to] as const));

const sine = (frequency: number, rate: number, length: number): Float64Array =>
  Float64Array.from({ length }, (_, n) => 0.5 * Math.sin((2 * Math.PI * frequency * n) / rate + 0.3));

function resampled(samples: Float32Array, from: number, to: number): Float32Array {
  const resampler = createResampler(from, to);
  return joined([resampler.push(samples), resampler.finish()]);
}

/** Power of `signal` over the power of its difference to `wanted`, without the edges. */
function snrDb(signal: Float32Array, wanted: Float64Array, edge: number): number {
  let power = 0;
  let error = 0;
  for (let n = edge; n < signal.length - edge; n++) {
    power += wanted[n] ** 2;
    error += (signal[n] - wanted[n]) ** 2;
  }
  return 10 * Math.log10(power / error);
}

describe.each(pairs)('from %i Hz to %i Hz', (from, to) => {
  const nyquist = Math.min(from, to) / 2;
  const edge = Math.ceil(0.006 * to);

  it('keeps a tone up to 0.85 of the Nyquist frequency in place, ≥ 80 dB', () => {
    for (const fraction of [0.02, 0.25, 0.5, 0.7, 0.85]) {
      const frequency = fraction * nyquist;
      const out = resampled(Float32Array.from(sine(frequency, from, from / 10)), from, to);
      expect(snrDb(out, sine(frequency, to, out.length), edge)).toBeGreaterThan(80);
    }
  });

  it('removes a tone above the lower Nyquist frequency, ≥ 85 dB', () => {
    if (to > from) return; // Upsampled signals have nothing there; their images are part of the test above.
    for (const fraction of [1.01, 1.2, 1.7]) {
      if (fraction * nyquist >= from / 2) continue;
      const out = resampled(Float32Array.from(sine(fraction * nyquist, from, from / 10)), from, to);
      const power =
        out.slice(edge, -edge).reduce((sum, value) => sum + value * value, 0) / (out.length - 2 * edge);
      expect(10 * Math.log10(power / 0.125)).toBeLessThan(-85);
    }
  });

  it('passes a constant exactly', () => {
    const out = resampled(new Float32Array(from / 10).fill(0.5), from, to);
    for (const value of out.slice(edge, -edge)) expect(value).toBeCloseTo(0.5, 7);
  });

  it('gives the same bits however the samples are cut, and exactly ceil(N·to/from) of them', () => {
    fc.assert(
      fc.property(fc.nat(1500), fc.array(fc.nat(1500), { maxLength: 8 }), (length, cuts) => {
        const samples = seededArray(length, length + 1);
        const resampler = createResampler(from, to);
        const inside = cuts.map(cut => Math.min(cut, length));
        const parts = cutAt(samples, inside).map(part => resampler.push(part));
        const out = joined([...parts, resampler.finish()]);
        expect(out).toHaveLength(Math.ceil((length * to) / from));
        expect(out).toEqual(resampled(samples, from, to));
      }),
      { numRuns: 25 },
    );
  });

  it('gives an output as soon as its look-ahead is there, within 5 ms', () => {
    const resampler = createResampler(from, to);
    expect(resampler.lookAhead / from).toBeLessThanOrEqual(0.00501);
    expect(resampler.push(new Float32Array(resampler.lookAhead))).toHaveLength(0);
    expect(resampler.push(new Float32Array(1)).length).toBe(Math.max(1, Math.ceil(to / from)));
  });
});

it('has a fresh stream after finish', () => {
  const resampler = createResampler(24000, 16000);
  const samples = seededArray(480, 9);
  const first = joined([resampler.push(samples), resampler.finish()]);
  expect(joined([resampler.push(samples), resampler.finish()])).toEqual(first);
});

it('copies where the rates are equal', () => {
  const samples = seededArray(10, 1);
  const out = createResampler(16000, 16000).push(samples);
  expect(out).toEqual(samples);
  expect(out.buffer).not.toBe(samples.buffer);
});

it('also converts 44.1 kHz and refuses what it cannot', () => {
  expect(resampled(new Float32Array(441), 44100, 16000)).toHaveLength(160);
  expect(() => createResampler(0, 16000)).toThrow(/fromRateHz: 0/);
  expect(() => createResampler(16000, 15999.5)).toThrow(/toRateHz: 15999.5/);
  expect(() => createResampler(96001, 96000)).toThrow(/96001/);
});
