/**
 * What comes out of one person's mouth: intervals of activity between 0 (silence) and 1, coded one sample a
 * millisecond. Decisions are about what is to come; what was said stays said.
 */
import type { VoiceActivityDetectorFactory } from '../../actors/perceive/index.ts';

interface VoiceSound {
  readonly fromMs: number;
  toMs: number;
  readonly activity: number;
  /** A packet that is full of it. */
  whole: Float32Array | null;
}

/** Certain speech; sound that a detector may take for it (cough, side talk). */
export const SPEECH = 0.95;
export const NOISE = 0.6;

export class Voice {
  /** Called before there is a sound again. */
  onSound: () => void = () => {};
  readonly #sounds: VoiceSound[] = [];

  sound(fromMs: number, toMs: number, activity = SPEECH): void {
    this.onSound();
    const later = this.#sounds.findIndex(sound => sound.fromMs > fromMs);
    this.#sounds.splice(later < 0 ? this.#sounds.length : later, 0, { fromMs, toMs, activity, whole: null });
  }

  /** No packet that has not been asked for has a sound in it, as things are. */
  get isSilent(): boolean {
    return this.#sounds.length === 0;
  }

  /** Nothing that was planned comes any more of what is at least so active. */
  stopAt(atMs: number, leastActivity = 0): void {
    for (let i = this.#sounds.length - 1; i >= 0; i--) {
      if (this.#sounds[i].activity < leastActivity) continue;
      if (this.#sounds[i].fromMs >= atMs) this.#sounds.splice(i, 1);
      else this.#sounds[i].toMs = Math.min(this.#sounds[i].toMs, atMs);
    }
  }

  /** The packet that ends at `endMs`; asked for in the order of time. */
  packet(endMs: number, lengthMs: number): Float32Array {
    const beginMs = endMs - lengthMs;
    while (this.#sounds.length > 0 && this.#sounds[0].toMs <= beginMs) this.#sounds.shift();
    const [first] = this.#sounds;
    if (!first || first.fromMs >= endMs) return uniform(0, lengthMs);
    if (this.#sounds.length === 1 && first.fromMs <= beginMs && first.toMs >= endMs) {
      first.whole ??= constant(first.activity, lengthMs);
      return first.whole;
    }
    const samples = new Float32Array(lengthMs);
    for (const { fromMs, toMs, activity } of this.#sounds) {
      const from = Math.max(0, Math.round(fromMs - beginMs));
      const to = Math.min(lengthMs, Math.round(toMs - beginMs));
      for (let at = from; at < to; at++) samples[at] = Math.max(samples[at], activity);
    }
    return samples;
  }
}

const shared = new Map<number, Map<number, Float32Array>>();

export function constant(activity: number, lengthMs: number): Float32Array {
  return new Float32Array(lengthMs).fill(activity);
}

/** The same array every time: nobody writes into what is pushed. For few activities and lengths: it is kept. */
export function uniform(activity: number, lengthMs: number): Float32Array {
  let lengths = shared.get(activity);
  if (!lengths) {
    lengths = new Map();
    shared.set(activity, lengths);
  }
  let samples = lengths.get(lengthMs);
  if (!samples) {
    samples = constant(activity, lengthMs);
    lengths.set(lengthMs, samples);
  }
  return samples;
}

/** Reads the coded activity: the probability of speech is the mean over the frame. */
export const activityDetector: VoiceActivityDetectorFactory = () => ({
  frame: samples => {
    let sum = 0;
    for (let i = 0; i < samples.length; i++) sum += samples[i];
    return sum / samples.length;
  },
});
