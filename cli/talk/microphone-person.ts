import type { Clock } from '../../actors/core/clock.ts';
import type { Microphone } from '../live/microphone.ts';
import type { TalkPerson } from './conversation.ts';
import { INPUT_SAMPLE_RATE, type SpokenTo } from './recorded-person.ts';

const FRAME_MS = 20;

/** Somebody before the microphone. When it ends, the line stays open and silent, so that the last turn ends too. */
export class MicrophonePerson implements TalkPerson {
  readonly startedAtMs: number;
  readonly #line: SpokenTo;
  readonly #clock: Clock;
  readonly #microphone: Microphone;
  readonly #silence: Float32Array;
  #hungUp = false;

  constructor(line: SpokenTo, clock: Clock, microphone: Microphone, sampleRate = INPUT_SAMPLE_RATE) {
    this.#line = line;
    this.#silence = new Float32Array((sampleRate * FRAME_MS) / 1000);
    this.#clock = clock;
    this.#microphone = microphone;
    this.startedAtMs = clock.nowMs();
    microphone.listen(samples => {
      if (!this.#hungUp && samples.length > 0) line.send({ type: 'audio', samples });
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
      if (this.hasFinished) this.#line.send({ type: 'audio', samples: this.#silence.slice() });
      this.#keepOpen();
    });
  }
}
