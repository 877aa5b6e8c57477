import type { Clock } from '../../actors/core/clock.ts';
import type { Session } from '../../actors/session-api.ts';
import type { CapturedPicture } from '../media/pictures.ts';
import { INPUT_SAMPLE_RATE } from '../talk/recorded-person.ts';

const FRAME_MS = 20;
const FRAME_SAMPLES = (INPUT_SAMPLE_RATE * FRAME_MS) / 1000;

/** Keeps a line open by the clock, silent but for what it is told to say; pictures are shown while it speaks. */
export class ScriptedPerson {
  readonly #session: Session;
  readonly #clock: Clock;
  readonly #openedAtMs: number;
  #sentFrames = 0;
  #hungUp = false;
  #samples: Float32Array = new Float32Array(0);
  #spoken = 0;
  #frames: readonly CapturedPicture[] = [];
  #shown = 0;

  constructor(session: Session, clock: Clock) {
    this.#session = session;
    this.#clock = clock;
    this.#openedAtMs = clock.nowMs();
    this.#next();
  }

  /** @param samples 16 kHz mono in [−1, 1]; @param frames stamped from the beginning of the speech */
  say(samples: Float32Array, frames: readonly CapturedPicture[]): void {
    [this.#samples, this.#spoken, this.#frames, this.#shown] = [samples, 0, frames, 0];
  }

  get isSilent(): boolean {
    return this.#spoken >= this.#samples.length;
  }

  hangUp(): void {
    this.#hungUp = true;
  }

  #next(): void {
    const dueMs = this.#openedAtMs + (this.#sentFrames + 1) * FRAME_MS;
    this.#clock.setTimer(Math.max(0, dueMs - this.#clock.nowMs()), () => {
      if (this.#hungUp) return;
      this.#speak();
      this.#sentFrames++;
      this.#next();
    });
  }

  #speak(): void {
    const frame = new Float32Array(FRAME_SAMPLES);
    const spokenMs = (this.#spoken / INPUT_SAMPLE_RATE) * 1000;
    if (!this.isSilent) {
      frame.set(this.#samples.subarray(this.#spoken, this.#spoken + FRAME_SAMPLES));
      this.#spoken += FRAME_SAMPLES;
      for (; this.#frames[this.#shown]?.capturedAtMs <= spokenMs; this.#shown++)
        this.#session.send({ type: 'picture', image: this.#frames[this.#shown].image });
    }
    this.#session.send({ type: 'audio', samples: frame });
  }
}
