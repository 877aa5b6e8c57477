/**
 * The evidence of a sound that may take the turn from the agent: how long, how much of it speech, with a pitch or none,
 * how loud.
 */
import type { SoundEvidence } from './messages.ts';
import { FRAME_MS } from './segmenter.ts';

/** Silence after which a sound counts as over: longer than the closures and the h within a word ("s-top", "um-hum"). */
export const ENDED_FRAMES = 7;
/**
 * A user's level is known after a quarter of a second of his speech, and follows with a time constant of two seconds.
 */
const KNOWN_FRAMES = 12;
const FOLLOW = 0.01;
/** Frames of the past that an onset may lie back. */
const PAST = 100;
/** A frame with this much of a pitch is a voice's. */
const VOICED = 0.6;
const RECENT_FRAMES = 3;
/** What a frame is; `SPEECH`: nobody knows whether it has a pitch. */
const QUIET = 0;
const SPEECH = 1;
const UNVOICED_SPEECH = 2;
const VOICED_SPEECH = 3;

/** How loud this user speaks in turns of his own, dB. */
export class OwnLevel {
  #power = 0;
  #frames = 0;

  /** `power` of one more frame. */
  add(power: number): void {
    this.#frames += 1;
    this.#power += Math.max(FOLLOW, 1 / this.#frames) * (power - this.#power);
  }

  relativeDb(of: number): number | null {
    return this.#frames < KNOWN_FRAMES ? null : 10 * Math.log10((of + 1e-12) / (this.#power + 1e-12));
  }
}

export class SoundWeigher {
  readonly #own: OwnLevel;
  /**
   * The last `PAST` frames, each at its number modulo `PAST`; columns, because there is one for every frame of every
   * call.
   */
  readonly #powers = new Float64Array(PAST);
  readonly #kinds = new Uint8Array(PAST);
  /** −1: not known. */
  readonly #likenesses = new Float64Array(PAST);
  #seen = 0;
  #frames: number | null = null;
  #voicedFrames: number | null = 0;
  readonly #recentPowers: number[] = [];
  #speechFrames = 0;
  #speechPower = 0;
  #likeness: number | null = 0;
  #quietFrames = 0;

  constructor(own: OwnLevel) {
    this.#own = own;
  }

  /** `voicing` and `likeness` of the frame, 0–1, null where not known. Returns the frame's power, of speech only. */
  frame(
    samples: Float32Array,
    isSpeech: boolean,
    voicing: number | null,
    likeness: number | null = null,
  ): number {
    const power = isSpeech ? powerOf(samples) : 0;
    const kind = kindOf(isSpeech, voicing);
    const at = this.#seen++ % PAST;
    this.#powers[at] = power;
    this.#kinds[at] = kind;
    this.#likenesses[at] = likeness ?? -1;
    if (this.#frames !== null) this.#count(power, kind, likeness ?? -1);
    return power;
  }

  /** A sound began so many frames ago, after so many that are not weighed. */
  begin(framesAgo: number, unweighed = 0): void {
    this.#frames = unweighed;
    this.#speechFrames = 0;
    this.#speechPower = 0;
    this.#quietFrames = 0;
    this.#voicedFrames = 0;
    this.#likeness = 0;
    this.#recentPowers.length = 0;
    for (let frame = this.#seen - Math.min(framesAgo, PAST, this.#seen); frame < this.#seen; frame++)
      this.#count(this.#powers[frame % PAST], this.#kinds[frame % PAST], this.#likenesses[frame % PAST]);
  }

  end(): void {
    this.#frames = null;
  }

  /** Mean power of the speech in the sound that was weighed last. */
  get soundPower(): number {
    return this.#speechPower / Math.max(1, this.#speechFrames);
  }

  /** Null while no sound is weighed. */
  evidence(): SoundEvidence | null {
    if (this.#frames === null) return null;
    return {
      type: 'evidence',
      lastedMs: this.#frames * FRAME_MS,
      speechMs: this.#speechFrames * FRAME_MS,
      voicedMs: this.#voicedFrames === null ? null : this.#voicedFrames * FRAME_MS,
      likeness: this.#likeness === null ? null : this.#likeness / Math.max(1, this.#speechFrames),
      quietMs: this.#quietFrames * FRAME_MS,
      ended: this.#quietFrames >= ENDED_FRAMES,
      relativeDb: this.#own.relativeDb(this.soundPower),
      recentDb: this.#own.relativeDb(
        this.#recentPowers.reduce((sum, each) => sum + each, 0) / Math.max(1, this.#recentPowers.length),
      ),
    };
  }

  #count(power: number, kind: number, likeness: number): void {
    this.#frames = (this.#frames ?? 0) + 1;
    if (kind !== QUIET) {
      if (kind === SPEECH) this.#voicedFrames = null;
      else if (kind === VOICED_SPEECH && this.#voicedFrames !== null) this.#voicedFrames += 1;
      this.#likeness = likeness < 0 || this.#likeness === null ? null : this.#likeness + likeness;
      this.#recentPowers.push(power);
      if (this.#recentPowers.length > RECENT_FRAMES) this.#recentPowers.shift();
      this.#speechFrames += 1;
      this.#speechPower += power;
      this.#quietFrames = 0;
    } else this.#quietFrames += 1;
  }
}

function kindOf(isSpeech: boolean, voicing: number | null): number {
  if (!isSpeech) return QUIET;
  if (voicing === null) return SPEECH;
  return voicing >= VOICED ? VOICED_SPEECH : UNVOICED_SPEECH;
}

export function powerOf(samples: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < samples.length; i++) sum += samples[i] * samples[i];
  return sum / samples.length;
}
