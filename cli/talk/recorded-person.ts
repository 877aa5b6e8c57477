import type { Clock } from '../../actors/core/clock.ts';
import type { Session } from '../../actors/session-api.ts';
import type { Video } from '../media/video.ts';
import type { Person } from './conversation.ts';

export const INPUT_SAMPLE_RATE = 16_000;
const FRAME_MS = 20;
const FRAME_SAMPLES = (INPUT_SAMPLE_RATE * FRAME_MS) / 1000;

/** Speaks a recording into a session, 20 ms at a time by the clock, shows its pictures, then keeps a silent line open. */
export class RecordedPerson implements Person {
  readonly startedAtMs: number;
  readonly #session: Session;
  readonly #clock: Clock;
  readonly #samples: Float32Array;
  readonly #video: Video;
  #sentFrames = 0;
  #hungUp = false;

  /** @param samples 16 kHz mono in [−1, 1] */
  constructor(session: Session, clock: Clock, samples: Float32Array, video: Video) {
    this.#session = session;
    this.#clock = clock;
    this.#samples = samples;
    this.#video = video;
    this.startedAtMs = clock.nowMs();
    this.#next();
  }

  get hasFinished(): boolean {
    return this.#sentFrames * FRAME_SAMPLES >= this.#samples.length;
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
      this.#session.pushAudio(this.#frame());
      this.#sentFrames++;
      this.#next();
    });
  }

  #frame(): Float32Array {
    const frame = new Float32Array(FRAME_SAMPLES);
    const at = this.#sentFrames * FRAME_SAMPLES;
    frame.set(this.#samples.subarray(at, at + FRAME_SAMPLES));
    return frame;
  }

  #show(): void {
    for (const { image, capturedAtMs } of this.#video.take(this.spokenMs + FRAME_MS))
      this.#session.pushVideo(image, this.startedAtMs + capturedAtMs);
  }
}
