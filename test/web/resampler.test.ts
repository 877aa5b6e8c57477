import { expect, test } from 'vitest';
import { Resampler } from '../../web/media/resampler.js';

function tone(frequencyHz: number, rateHz: number, count: number): Float32Array {
  return Float32Array.from({ length: count }, (_, i) => Math.sin((2 * Math.PI * frequencyHz * i) / rateHz));
}

function rms(samples: Float32Array): number {
  return Math.sqrt(samples.reduce((sum, value) => sum + value * value, 0) / samples.length);
}

test.each([48_000, 44_100, 32_000, 16_000])('a tone at %i Hz comes out at 24 kHz within −70 dB', rateHz => {
  const out = new Resampler(rateHz, 24_000).push(tone(1000, rateHz, rateHz));
  const expected = tone(1000, 24_000, out.length);
  const error = out.map((value, i) => value - expected[i]).subarray(200);
  expect(20 * Math.log10(rms(error) / rms(expected))).toBeLessThan(-70);
});

test('what lies above the new Nyquist frequency does not come back as an alias', () => {
  const out = new Resampler(48_000, 24_000).push(tone(17_000, 48_000, 48_000)).subarray(200);
  expect(20 * Math.log10(rms(out))).toBeLessThan(-60);
});

test('pieces of 128 samples give the same as the whole', () => {
  const input = tone(700, 44_100, 44_100);
  const whole = new Resampler(44_100, 24_000).push(input);
  const streaming = new Resampler(44_100, 24_000);
  const pieces: number[] = [];
  for (let at = 0; at < input.length; at += 128) pieces.push(...streaming.push(input.subarray(at, at + 128)));
  expect(Float32Array.from(pieces)).toEqual(whole);
});

test('a second in is a second out, less the delay of the filter', () => {
  const out = new Resampler(44_100, 24_000).push(new Float32Array(44_100));
  expect(out.length).toBeGreaterThan(23_950);
  expect(out.length).toBeLessThanOrEqual(24_000);
});
