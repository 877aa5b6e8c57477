import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createRandom, normal } from '../../actors/core/index.ts';
import { EchoGate, type EchoVerdict } from '../../actors/perceive/echo-gate.ts';
import { g711 } from '../../kernels/g711/reference.ts';
import { createResampler } from '../../kernels/resample/reference.ts';

const RATE = 16_000;
const FRAME = RATE / 50;

function resampled(samples: Float32Array, from: number, to: number): Float32Array {
  const resampler = createResampler(from, to);
  const parts = [resampler.push(samples), resampler.finish()];
  const out = new Float32Array(parts[0].length + parts[1].length);
  out.set(parts[0]);
  out.set(parts[1], parts[0].length);
  return out;
}

/** A clip at the level that speech has on a line: −20 dB in its loud frames. */
function clip(name: string): Float32Array {
  const samples = g711['mu-law'].decode(
    readFileSync(new URL(`../fixtures/perceive/${name}.ulaw`, import.meta.url)),
  );
  const wide = name.endsWith('8k') ? resampled(samples, 8000, RATE) : samples;
  const power = wide.reduce((sum, value) => sum + value * value, 0) / wide.length;
  return wide.map(value => (value * 0.1) / Math.sqrt(power));
}

const AGENT = clip('awb-16k');
const USER = clip('espeak-f5-16k');

interface Path {
  readonly delayMs: number;
  readonly lossDb: number;
  readonly telephone?: boolean;
  /** Of a loudspeaker: x + a·x³. */
  readonly cubic?: number;
  /** Of the room; −70 where not given. */
  readonly noiseDb?: number;
}

/** The agent's sound in the caller's microphone: delayed, weakened, with the answer of a small room and its noise. */
function echoOf(
  sound: Float32Array,
  { delayMs, lossDb, telephone, cubic = 0, noiseDb = -70 }: Path,
): Float32Array {
  const random = createRandom('room');
  const gain = 10 ** (-lossDb / 20);
  const taps = [[0, 1]];
  for (let i = 0; i < 12; i++)
    taps.push([Math.round(random.next() * 0.03 * RATE), 0.35 * normal(random, 0, 1) * 0.85 ** i]);
  const out = new Float32Array(sound.length + RATE);
  const bent = sound.map(value => value + cubic * value ** 3);
  for (const [lag, weight] of taps) {
    const shift = lag + (delayMs * RATE) / 1000;
    for (let i = 0; i < bent.length; i++) out[i + shift] += gain * weight * bent[i];
  }
  const noisy = out.map(value => value + normal(random, 0, 10 ** (noiseDb / 20)));
  if (!telephone) return noisy;
  const narrow = g711['mu-law'].decode(g711['mu-law'].encode(resampled(noisy, RATE, 8000)));
  return resampled(narrow, 8000, RATE);
}

/** Verdicts of the frames that are loud enough to be taken for speech. */
function judge(
  microphone: Float32Array,
  reference = AGENT,
  leastPower = 10 ** -6.2,
): { at: number; verdict: EchoVerdict }[] {
  const gate = new EchoGate(RATE, RATE);
  gate.played(reference, 0);
  const verdicts: { at: number; verdict: EchoVerdict }[] = [];
  for (let at = 0; at + FRAME <= reference.length; at += FRAME) {
    const frame = microphone.subarray(at, at + FRAME);
    const verdict = gate.frame(frame, ((at + FRAME) * 1000) / RATE);
    const power = frame.reduce((sum, value) => sum + value * value, 0) / FRAME;
    if (power > leastPower) verdicts.push({ at, verdict });
  }
  return verdicts;
}

const share = (verdicts: readonly { verdict: EchoVerdict }[], verdict: EchoVerdict) =>
  verdicts.filter(each => each.verdict === verdict).length / verdicts.length;

const paths: Path[] = [20, 30, 40].flatMap(lossDb =>
  [40, 130, 300, 490].flatMap(delayMs => [
    { lossDb, delayMs },
    { lossDb, delayMs, telephone: true },
    { lossDb, delayMs, cubic: 8 },
  ]),
);

describe('the echo gate', () => {
  it.each(paths)('takes no frame of the agent’s own voice for a person (%j)', path => {
    const verdicts = judge(echoOf(AGENT, path));
    expect(share(verdicts, 'person')).toBe(0);
  });

  it.each([20, 30, 40])('hears a person over an echo of −%i dB within 160 ms', lossDb => {
    const microphone = echoOf(AGENT, { delayMs: 130, lossDb });
    const begins = Math.floor(RATE * 0.8);
    for (let i = 0; begins + i < microphone.length && i < USER.length; i++) microphone[begins + i] += USER[i];
    const after = judge(microphone).filter(({ at }) => at >= begins && at < begins + USER.length);
    const first = after.find(({ verdict }) => verdict === 'person');
    expect(first!.at - begins).toBeLessThanOrEqual(0.16 * RATE);
    expect(share(after, 'person')).toBeGreaterThan(0.7);
  });

  it.each([-42, -50])('finds an echo that comes late into a room with noise of %i dB', noiseDb => {
    const path = { lossDb: 20, delayMs: 260, noiseDb };
    const verdicts = judge(echoOf(AGENT, path), AGENT, 10 ** (Math.max(-46, noiseDb + 6) / 10));
    expect(verdicts.length).toBeGreaterThan(20);
    expect(share(verdicts, 'person')).toBeLessThan(0.03);
  });

  it('takes a person who speaks with the agent for a person, whatever chance makes alike', () => {
    const heard = [0, 0.2, 0.4, 0.6, 0.8].map(seconds => {
      const microphone = echoOf(AGENT, { delayMs: 130, lossDb: 60, noiseDb: -45 });
      const begins = Math.floor(RATE * seconds);
      for (let i = 0; begins + i < microphone.length && i < USER.length; i++)
        microphone[begins + i] += USER[i];
      const over = judge(microphone, AGENT, 10 ** -3).filter(
        ({ at }) => at >= begins && at < begins + USER.length,
      );
      return share(over, 'person');
    });
    expect(Math.min(...heard)).toBeGreaterThan(0.9);
  });

  it('hears a person who speaks before any echo came, at once', () => {
    const microphone = new Float32Array(AGENT.length);
    microphone.set(USER.subarray(0, microphone.length));
    const verdicts = judge(microphone);
    expect(verdicts.findIndex(({ verdict }) => verdict === 'person')).toBeLessThanOrEqual(1);
    // A word that begins low may be an echo for a moment.
    expect(share(verdicts, 'person')).toBeGreaterThan(0.93);
  });

  it('has no say while nothing plays', () => {
    const gate = new EchoGate(RATE, RATE);
    expect(gate.frame(USER.subarray(8000, 8000 + FRAME), 20)).toBe('person');
  });

  it('knows the reply that comes after one that was cut', () => {
    const gate = new EchoGate(RATE, RATE);
    // The far end was given a reply of ten seconds, packet by packet, and threw most of it away.
    for (let n = 0; n < 100; n++) gate.played(AGENT.subarray(0, RATE / 10), n * 100);
    gate.cleared(200);
    gate.played(AGENT, 400);
    const microphone = echoOf(AGENT, { delayMs: 130, lossDb: 20 });
    const verdicts: EchoVerdict[] = [];
    for (let at = 0; at + FRAME <= AGENT.length; at += FRAME) {
      const frame = microphone.subarray(at, at + FRAME);
      const verdict = gate.frame(frame, 400 + ((at + FRAME) * 1000) / RATE);
      if (frame.some(value => Math.abs(value) > 0.01)) verdicts.push(verdict);
    }
    expect(verdicts.length).toBeGreaterThan(20);
    expect(verdicts.filter(verdict => verdict === 'person')).toEqual([]);
  });

  it('forgets what was thrown away before it was heard', () => {
    const gate = new EchoGate(RATE, RATE);
    gate.played(AGENT, 100);
    gate.cleared(0);
    const late = AGENT.subarray(8000, 8000 + FRAME).map(value => value / 30);
    expect(gate.frame(late, 700)).toBe('person');
  });
});
