/** The end of the line inside the events: `session.output_audio.delta`, silence as much as speech. */
import { type MediaEncoder, createAudioEncoder, type MediaFormat } from '../media/index.ts';
import type { LineOutlet } from './output-line.ts';

export class EventOutlet implements LineOutlet {
  readonly leadMs = 60;
  readonly latencyMs = 0;
  readonly #encoder: MediaEncoder;
  readonly #send: (bytes: Buffer) => void;

  constructor(format: MediaFormat, send: (bytes: Buffer) => void) {
    this.#encoder = createAudioEncoder(format);
    this.#send = send;
  }

  sound(samples: Float32Array): void {
    this.#send(this.#encoder.push(samples));
  }

  silence(samples: Float32Array): void {
    this.#send(this.#encoder.push(samples));
  }

  /** What was sent cannot be recalled, and the line goes on. */
  cut(): void {}
}
