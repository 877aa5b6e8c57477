/** The evidence of a sound that may take the turn from the agent: how long, how much of it speech, with a pitch or none, how loud. */
import type { SoundEvidence } from './messages.ts';
import { FRAME_MS } from './segmenter.ts';

/** Silence after which a sound counts as over. */
const ENDED_FRAMES = 4;
/** A user's level is known after half a second of his speech, and follows with a time constant of two seconds. */
const KNOWN_FRAMES = 25;
const FOLLOW = 0.01;
/** Frames of the past that an onset may lie back. */
const PAST = 100;
/** A frame with this much of a pitch is a voice's. */
const VOICED = 0.6;
const RECENT_FRAMES = 3;

/** How loud this user speaks in turns of his own, dB. */
export class OwnLevel {
  #power = 0;
  #frames = 0;

  add(frame: Float32Array): void {
    this.#frames += 1;
    this.#power += Math.max(FOLLOW, 1 / this.#frames) * (power(frame) - this.#power);
  }

  relativeDb(of: number): number | null {
    return this.#frames < KNOWN_FRAMES ? null : 10 * Math.log10((of + 1e-12) / (this.#power + 1e-12));
  }
}

interface Heard {
  power: number;
  isSpeech: boolean;
  isVoiced: boolean | null;
}

export class SoundWeigher {
  readonly #own: OwnLevel;
  readonly #past: Heard[] = [];
  #frames: number | null = null;
  #voicedFrames: number | null = 0;
  readonly #recentPowers: number[] = [];
  #speechFrames = 0;
  #speechPower = 0;
  #quietFrames = 0;

  constructor(own: OwnLevel) {
    this.#own = own;
  }

  /** `voicing` of the frame, 0–1, null where it is not known. */
  frame(samples: Float32Array, isSpeech: boolean, voicing: number | null): void {
    const isFull = this.#past.length === PAST;
    const frame = isFull ? this.#past.shift()! : { power: 0, isSpeech, isVoiced: null };
    frame.power = isSpeech ? power(samples) : 0;
    frame.isSpeech = isSpeech;
    frame.isVoiced = voicing === null ? null : voicing >= VOICED;
    if (this.#frames !== null) this.#count(frame);
    this.#past.push(frame);
  }

  /** A sound began so many frames ago. */
  begin(framesAgo: number): void {
    this.#frames = 0;
    this.#speechFrames = 0;
    this.#speechPower = 0;
    this.#quietFrames = 0;
    this.#voicedFrames = 0;
    this.#recentPowers.length = 0;
    for (const frame of this.#past.slice(-framesAgo)) this.#count(frame);
  }

  end(): void {
    this.#frames = null;
  }

  /** Null while no sound is weighed. */
  evidence(): SoundEvidence | null {
    if (this.#frames === null) return null;
    const ended = this.#quietFrames >= ENDED_FRAMES;
    return {
      type: 'evidence',
      lastedMs: this.#frames * FRAME_MS,
      speechMs: this.#speechFrames * FRAME_MS,
      voicedMs: this.#voicedFrames === null ? null : this.#voicedFrames * FRAME_MS,
      ended,
      relativeDb: this.#own.relativeDb(this.#speechPower / Math.max(1, this.#speechFrames)),
      recentDb: this.#own.relativeDb(
        this.#recentPowers.reduce((sum, each) => sum + each, 0) / Math.max(1, this.#recentPowers.length),
      ),
    };
  }

  #count({ power: of, isSpeech, isVoiced }: Heard): void {
    this.#frames = (this.#frames ?? 0) + 1;
    if (isSpeech) {
      if (isVoiced === null) this.#voicedFrames = null;
      else if (isVoiced && this.#voicedFrames !== null) this.#voicedFrames += 1;
      this.#recentPowers.push(of);
      if (this.#recentPowers.length > RECENT_FRAMES) this.#recentPowers.shift();
      this.#speechFrames += 1;
      this.#speechPower += of;
      this.#quietFrames = 0;
    } else this.#quietFrames += 1;
  }
}

function power(samples: Float32Array): number {
  let sum = 0;
  for (const value of samples) sum += value * value;
  return sum / samples.length;
}
