/** Keys in the sound, against ITU-T Q.24's bounds by tones of the test's own, tones and speech of others, and noise. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createRandom } from '../../actors/core/index.ts';
import { readWav } from '../../cli/media/wav.ts';
import { KeyToneDetector, keyTones, resampleAll } from '../../protocols/media/index.ts';

const ROWS = [697, 770, 852, 941];
const COLUMNS = [1209, 1336, 1477, 1633];
const ALL = '123A456B789C*0#D';
const BARESIP = '/usr/share/baresip';

function heard(samples: Float32Array, rateHz: number): string {
  const detector = new KeyToneDetector(rateHz);
  let keys = '';
  for (let at = 0; at < samples.length; at += rateHz / 50)
    keys += detector.push(samples.subarray(at, at + rateHz / 50));
  return keys;
}

interface Pressing {
  readonly onMs: number;
  readonly offMs: number;
  /** Of the frequencies, as a share. */
  readonly off?: number;
  /** The column against the row. */
  readonly twistDb?: number;
  readonly levelDb?: number;
  readonly noiseDb?: number;
}

/** All sixteen keys four times, at any moment and phase. */
function pressed(rateHz: number, { onMs, offMs, off = 0, twistDb = 0, levelDb = -20, noiseDb }: Pressing) {
  const random = createRandom(`keys ${rateHz} ${onMs}`);
  const parts: number[] = [];
  const silent = (ms: number) =>
    parts.push(...Array.from({ length: Math.round((rateHz * ms) / 1000) }, () => 0));
  silent(50);
  for (let n = 0; n < 64; n++) {
    silent(offMs + random.next());
    const sign = () => 1 + off * (random.next() < 0.5 ? -1 : 1);
    const [row, column] = [ROWS[(n >> 2) % 4] * sign(), COLUMNS[n % 4] * sign()];
    const [low, high] = [10 ** (levelDb / 20), 10 ** ((levelDb + twistDb) / 20)];
    const [a, b] = [random.next() * 7, random.next() * 7];
    for (let i = 0; i < (rateHz * onMs) / 1000; i++) {
      const turn = (2 * Math.PI * i) / rateHz;
      parts.push(low * Math.sin(row * turn + a) + high * Math.sin(column * turn + b));
    }
  }
  silent(100);
  const samples = Float32Array.from(parts);
  // Uniform noise of this power.
  const most = noiseDb === undefined ? 0 : 10 ** (noiseDb / 20) * Math.sqrt(3);
  return samples.map(sample => sample + most * (2 * random.next() - 1));
}

describe.each([8000, 16_000])('keys in sound of %i Hz', rateHz => {
  it.each<[string, Pressing]>([
    ['as short as Q.24 allows', { onMs: 40, offMs: 40 }],
    ['off by 1.5 %', { onMs: 40, offMs: 40, off: 0.015 }],
    ['with a loud column', { onMs: 60, offMs: 60, twistDb: 3.5 }],
    ['with a soft column', { onMs: 60, offMs: 60, twistDb: -7.5 }],
    ['in noise 15 dB below', { onMs: 50, offMs: 50, noiseDb: -35 }],
    ['soft', { onMs: 50, offMs: 50, levelDb: -38 }],
    ['long', { onMs: 400, offMs: 100 }],
  ])('are all told once: %s', (_what, pressing) => {
    expect(heard(pressed(rateHz, pressing), rateHz)).toBe(ALL.repeat(4));
  });

  it.each<[string, Pressing]>([
    ['too short', { onMs: 20, offMs: 80 }],
    ['off by 3.5 %', { onMs: 100, offMs: 100, off: 0.035 }],
    ['with a column 7 dB louder', { onMs: 100, offMs: 100, twistDb: 7 }],
    ['with a column 11 dB softer', { onMs: 100, offMs: 100, twistDb: -11 }],
    ['in noise as loud', { onMs: 100, offMs: 100, noiseDb: -17 }],
    ['too soft', { onMs: 100, offMs: 100, levelDb: -50 }],
  ])('are none: %s', (_what, pressing) => {
    expect(heard(pressed(rateHz, pressing), rateHz)).toBe('');
  });

  it('are what this side sounds', () => {
    const all = [...ALL].flatMap(key => [...keyTones(key, 80, rateHz)!, ...new Float32Array(rateHz / 20)]);
    expect(heard(Float32Array.from(all), rateHz)).toBe(ALL);
    expect(keyTones('E', 80, rateHz)).toBeNull();
    expect(keyTones('12', 80, rateHz)).toBeNull();
  });

  it('are in no speech', () => {
    for (const name of ['six-turns', 'two-turns', 'count-to-ten', 'where-stopped']) {
      const { samples, sampleRate } = readWav(join('test/fixtures/talk', `${name}.wav`));
      expect(heard(resampleAll(samples, sampleRate, rateHz), rateHz)).toBe('');
    }
  });
});

describe.skipIf(!existsSync(BARESIP))("baresip's own sounds", () => {
  it('of keys are those keys, and its tones of progress are none', () => {
    const listen = (name: string) => {
      const { samples, sampleRate } = readWav(join(BARESIP, `${name}.wav`));
      return heard(resampleAll(samples, sampleRate, 8000), 8000);
    };
    expect([...'0123456789'].map(key => listen(`sound${key}`)).join('')).toBe('0123456789');
    expect(listen('soundstar') + listen('soundroute')).toBe('*#');
    expect(['busy', 'ringback', 'ring', 'error', 'callwaiting'].map(listen).join('')).toBe('');
  });
});
