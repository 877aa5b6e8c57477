/** Lines on which nobody speaks, and what machines put on them: made by number, so that every test hears the same. */
import { normal, type Random } from '../../actors/core/index.ts';

export const RATE = 16_000;
export const FRAME = RATE / 50;

/** White noise at a level, dBFS. */
export function noise(random: Random, levelDb: number, durationMs: number): Float32Array {
  const level = 10 ** (levelDb / 20);
  return Float32Array.from({ length: (RATE * durationMs) / 1000 }, () => normal(random, 0, level));
}

/** A room: noise with more below than above, at a level, dBFS. */
export function room(random: Random, levelDb: number, durationMs: number): Float32Array {
  const level = 10 ** (levelDb / 20);
  let last = 0;
  return Float32Array.from({ length: (RATE * durationMs) / 1000 }, () => {
    last = 0.7 * last + normal(random, 0, level * Math.sqrt(1 - 0.7 ** 2));
    return last;
  });
}

/** Tones together, faded in and out within 5 ms. */
export function tones(hz: readonly number[], levelDb: number, durationMs: number): Float32Array {
  const count = (RATE * durationMs) / 1000;
  const level = (10 ** (levelDb / 20) * Math.SQRT2) / Math.sqrt(hz.length);
  return Float32Array.from({ length: count }, (_, i) => {
    const fade = Math.min(1, i / 80, (count - i) / 80);
    return fade * level * hz.reduce((sum, f) => sum + Math.sin((2 * Math.PI * f * i) / RATE), 0);
  });
}

export function together(...sounds: readonly Float32Array[]): Float32Array {
  const out = new Float32Array(Math.max(...sounds.map(({ length }) => length)));
  for (const sound of sounds) for (let i = 0; i < sound.length; i++) out[i] += sound[i];
  return out;
}

export function joined(...parts: readonly Float32Array[]): Float32Array {
  const out = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

export const silence = (durationMs: number) => new Float32Array((RATE * durationMs) / 1000);

/**
 * Packets of 20 ms lost as zeros, so many in a hundred, in bursts of so many on average; their edges lie anywhere
 * between two of the detector's frames.
 */
export function withLoss(sound: Float32Array, random: Random, share: number, burst: number): Float32Array {
  const out = sound.slice();
  let isLost = false;
  for (let at = -Math.floor(random.next() * FRAME); at < out.length; at += FRAME) {
    isLost = random.next() < (isLost ? 1 - 1 / burst : share / (1 - share) / burst);
    if (isLost) out.fill(0, Math.max(0, at), Math.max(0, at + FRAME));
  }
  return out;
}
