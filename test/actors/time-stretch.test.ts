import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TimeStretch } from '../../actors/play-out/time-stretch.ts';
import { SessionRig } from '../support/session-rig.ts';
import { createResponse, truncateItem } from '../support/told.ts';

const RATE = 24_000;
const WINDOW = (RATE * 40) / 1000;

/** A buzz of this pitch, in syllables. */
function buzz(f0Hz: number, ms: number): Float32Array {
  return Float32Array.from({ length: (RATE * ms) / 1000 }, (_, n) => {
    const t = n / RATE;
    let sum = 0;
    for (let k = 1; k * f0Hz < 4000; k++) sum += Math.sin(2 * Math.PI * k * f0Hz * t) / k;
    return 0.15 * sum * (0.4 + 0.6 * Math.sin(Math.PI * 3 * t) ** 2);
  });
}

function stretched(samples: Float32Array, speed: number, cuts: readonly number[] = []): Float32Array {
  const stretch = new TimeStretch(RATE, speed);
  const places = [0, ...[...cuts].sort((a, b) => a - b), samples.length];
  const parts = places.slice(1).map((end, i) => stretch.push(samples.slice(places[i], end)));
  return Float32Array.from([...parts, stretch.finish()].flatMap(part => [...part]));
}

/** By autocorrelation over 60 ms in the middle of the sound. */
function pitchHz(samples: Float32Array): number {
  const from = Math.floor(samples.length / 2);
  const span = (RATE * 60) / 1000;
  const likeness = (lag: number) => {
    let [product, a, b] = [0, 0, 0];
    for (let i = from; i < from + span; i++) {
      product += samples[i] * samples[i + lag];
      a += samples[i] ** 2;
      b += samples[i + lag] ** 2;
    }
    return product / Math.sqrt(a * b);
  };
  let best = { lag: 0, likeness: 0 };
  for (let lag = Math.floor(RATE / 350); lag <= RATE / 70; lag++) {
    const value = likeness(lag);
    // A multiple of the period is as like: the shortest within a hair counts.
    if (value > best.likeness + 0.02) best = { lag, likeness: value };
  }
  return RATE / best.lag;
}

describe('speech at another speed', () => {
  it('lasts as long as the speed says and keeps its pitch', () => {
    const speed = fc.double({ min: 0.25, max: 1.5, noNaN: true });
    fc.assert(
      fc.property(
        speed,
        fc.integer({ min: 85, max: 280 }),
        fc.integer({ min: 300, max: 900 }),
        (by, f0, ms) => {
          const voice = buzz(f0, ms);
          const out = stretched(voice, by);
          expect(Math.abs(out.length - voice.length / by)).toBeLessThanOrEqual(WINDOW);
          expect(Math.abs(pitchHz(out) / pitchHz(voice) - 1)).toBeLessThan(0.02);
          // Neither louder nor with holes.
          const peak = (of: Float32Array) => of.reduce((most, sample) => Math.max(most, Math.abs(sample)), 0);
          expect(peak(out)).toBeLessThan(1.2 * peak(voice));
          expect(out.every(sample => Number.isFinite(sample))).toBe(true);
        },
      ),
      { numRuns: 12, seed: 11 },
    );
  });

  it('is the same however it comes in pieces', () => {
    const voice = buzz(140, 500);
    const whole = stretched(voice, 0.7);
    fc.assert(
      fc.property(fc.array(fc.nat(voice.length), { maxLength: 12 }), cuts => {
        expect(Buffer.from(stretched(voice, 0.7, cuts).buffer).equals(Buffer.from(whole.buffer))).toBe(true);
      }),
      { numRuns: 8, seed: 3 },
    );
  });

  it('is nothing of nothing, and short where it was short', () => {
    expect(stretched(new Float32Array(0), 0.5)).toHaveLength(0);
    expect(stretched(buzz(120, 10), 0.5)).toHaveLength(480);
  });
});

describe('a session at another speed', () => {
  const REPLIES = [[{ text: 'One, two, three, four, five, six.', frames: 40 }]];
  const speak = async (speechSpeed: number, stopAfterMs: number | null) => {
    const rig = new SessionRig({ replies: REPLIES });
    const caller = rig.open({ turnDetection: { mode: 'manual' }, speechSpeed, truncateAt: 'word' });
    createResponse(caller.session);
    await caller.wait(stopAfterMs ?? 20_000);
    const itemId = caller.last('response.created')!.itemId;
    if (stopAfterMs !== null) truncateItem(caller.session, itemId, stopAfterMs);
    await caller.wait(100);
    return {
      rig,
      caller,
      text: caller.last('item.truncated')?.text,
      trace: caller.last('turn.trace')?.trace,
    };
  };

  it('says the same in another time', async () => {
    const usual = await speak(1, null);
    expect(usual.caller.audioMs).toBe(2400);
    for (const speed of [0.25, 0.8, 1.5]) {
      const { caller, trace } = await speak(speed, null);
      expect(Math.abs(caller.audioMs - 2400 / speed)).toBeLessThanOrEqual(40);
      expect(trace?.text).toBe('One, two, three, four, five, six.');
      expect(Math.abs(trace!.heardMs - 2400 / speed)).toBeLessThanOrEqual(40);
    }
  });

  it('takes as heard what was heard: the same words at the same place of the reply', async () => {
    for (const placeMs of [600, 1200, 1800]) {
      const { text } = await speak(1, placeMs);
      for (const speed of [0.5, 1.25]) {
        const other = await speak(speed, Math.round(placeMs / speed));
        expect(other.text).toBe(text);
        expect(other.rig.contextText()).toContain(`VOICE ASSISTANT:${text}`);
      }
    }
  });
});
