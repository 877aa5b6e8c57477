import type { Clock } from '../../actors/core/clock.ts';
import type { Session } from '../../actors/session-api.ts';
import type { VideoFrame } from '../media/pictures.ts';

export const INPUT_SAMPLE_RATE = 16_000;
const FRAME_MS = 20;
const FRAME_SAMPLES = (INPUT_SAMPLE_RATE * FRAME_MS) / 1000;

/** Speaks a recording into a session, 20 ms at a time by the clock, shows its pictures, then keeps a silent line open. */
export class RecordedPerson {
  readonly startedAtMs: number;
  readonly #session: Session;
  readonly #clock: Clock;
  readonly #samples: Float32Array;
  readonly #frames: readonly VideoFrame[];
  #sentFrames = 0;
  #shownPictures = 0;
  #hungUp = false;

  /** @param samples 16 kHz mono in [−1, 1] */
  constructor(session: Session, clock: Clock, samples: Float32Array, frames: readonly VideoFrame[]) {
    this.#session = session;
    this.#clock = clock;
    this.#samples = samples;
    this.#frames = frames;
    this.startedAtMs = clock.nowMs();
    this.#next();
  }

  get hasFinished(): boolean {
    return this.#sentFrames * FRAME_SAMPLES >= this.#samples.length;
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
    const spokenMs = (this.#sentFrames + 1) * FRAME_MS;
    for (; this.#frames[this.#shownPictures]?.capturedAtMs <= spokenMs; this.#shownPictures++) {
      const { image, capturedAtMs } = this.#frames[this.#shownPictures];
      this.#session.pushVideo(image, this.startedAtMs + capturedAtMs);
    }
  }
}
