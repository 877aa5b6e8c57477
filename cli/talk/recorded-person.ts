import type { Clock } from '../../actors/core/clock.ts';
import type { AudioCommand, PictureCommand } from '../../actors/session-api.ts';
import type { Video } from '../media/video.ts';
import type { TalkPerson } from './conversation.ts';

export const INPUT_SAMPLE_RATE = 16_000;
const FRAME_MS = 20;

/** A session, or a line to one that is far away. */
export interface SpokenTo {
  send(command: AudioCommand | PictureCommand): void;
}

/**
 * Speaks a recording into a session, 20 ms at a time by the clock, shows its pictures, then keeps a silent line open.
 */
export class RecordedPerson implements TalkPerson {
  readonly startedAtMs: number;
  readonly #line: SpokenTo;
  readonly #frameSamples: number;
  readonly #clock: Clock;
  readonly #samples: Float32Array;
  readonly #video: Video;
  #sentFrames = 0;
  #hungUp = false;

  /** @param samples mono in [−1, 1] */
  constructor(
    line: SpokenTo,
    clock: Clock,
    samples: Float32Array,
    video: Video,
    sampleRate = INPUT_SAMPLE_RATE,
  ) {
    this.#line = line;
    this.#frameSamples = (sampleRate * FRAME_MS) / 1000;
    this.#clock = clock;
    this.#samples = samples;
    this.#video = video;
    this.startedAtMs = clock.nowMs();
    this.#next();
  }

  get hasFinished(): boolean {
    return this.#sentFrames * this.#frameSamples >= this.#samples.length;
  }

  /** Of the recording so far. */
  get spokenMs(): number {
    return this.#sentFrames * FRAME_MS;
  }

  /** A little more than asked for, so that a late machine shows its pictures in time. */
  prepare(durationMs: number): Promise<void> {
    return this.#video.load(this.spokenMs + 2 * durationMs);
  }

  hangUp(): void {
    this.#hungUp = true;
  }

  /** Due times count from the start, so that late timers do not add up. */
  #next(): void {
    const dueMs = this.startedAtMs + (this.#sentFrames + 1) * FRAME_MS;
    this.#clock.setTimer(Math.max(0, dueMs - this.#clock.nowMs()), () => {
      if (this.#hungUp) return;
      this.#show();
      this.#line.send({ type: 'audio', samples: this.#frame() });
      this.#sentFrames++;
      this.#next();
    });
  }

  #frame(): Float32Array {
    const frame = new Float32Array(this.#frameSamples);
    const at = this.#sentFrames * this.#frameSamples;
    frame.set(this.#samples.subarray(at, at + this.#frameSamples));
    return frame;
  }

  #show(): void {
    for (const { image, capturedAtMs } of this.#video.take(this.spokenMs + FRAME_MS))
      this.#line.send({ type: 'picture', image, capturedAtMs: this.startedAtMs + capturedAtMs });
  }
}
