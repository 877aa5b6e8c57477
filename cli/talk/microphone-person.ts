import type { Clock } from '../../actors/core/clock.ts';
import type { Session } from '../../actors/session-api.ts';
import type { Microphone } from '../live/microphone.ts';
import type { Person } from './conversation.ts';
import { INPUT_SAMPLE_RATE } from './recorded-person.ts';

const FRAME_MS = 20;

/** Somebody before the microphone. When it ends, the line stays open and silent, so that the last turn ends too. */
export class MicrophonePerson implements Person {
  readonly startedAtMs: number;
  readonly #session: Session;
  readonly #clock: Clock;
  readonly #microphone: Microphone;
  #hungUp = false;

  constructor(session: Session, clock: Clock, microphone: Microphone) {
    this.#session = session;
    this.#clock = clock;
    this.#microphone = microphone;
    this.startedAtMs = clock.nowMs();
    microphone.listen(samples => {
      if (!this.#hungUp && samples.length > 0) session.pushAudio(samples);
    });
    this.#keepOpen();
  }

  get hasFinished(): boolean {
    return this.#microphone.hasEnded;
  }

  prepare(): Promise<void> {
    return Promise.resolve();
  }

  hangUp(): void {
    this.#hungUp = true;
    this.#microphone.close();
  }

  #keepOpen(): void {
    this.#clock.setTimer(FRAME_MS, () => {
      if (this.#hungUp) return;
      if (this.hasFinished) this.#session.pushAudio(new Float32Array((INPUT_SAMPLE_RATE * FRAME_MS) / 1000));
      this.#keepOpen();
    });
  }
}
