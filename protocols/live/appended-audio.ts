/** Sound inside `session.input_audio.append`, in the format that the session was started with. */
import type { Session } from '../../actors/session-api.ts';
import type { Timers } from '../guard/index.ts';
import { refusal } from '../json/index.ts';
import {
  type MediaDecoder,
  AudioIntake,
  bytesOfBase64,
  bytesOfMs,
  createAudioDecoder,
  type MediaFormat,
} from '../media/index.ts';

export interface AppendedAudioOptions {
  readonly session: Session;
  readonly clock: Timers;
  readonly format: MediaFormat;
  readonly isOpen: () => boolean;
  /** 16 kHz. */
  readonly hear: (samples: Float32Array) => void;
}

export class AppendedAudio {
  readonly #format: MediaFormat;
  readonly #decoder: MediaDecoder;
  readonly #intake: AudioIntake;

  constructor(options: AppendedAudioOptions) {
    this.#format = options.format;
    this.#decoder = createAudioDecoder(options.format);
    this.#intake = new AudioIntake({
      ...options,
      push: bytes => options.hear(this.#decoder.push(bytes)),
    });
  }

  append(base64: string): Promise<void> | void {
    return this.#intake.append(decodeBase64(base64), bytesOfMs(this.#format, 1000));
  }
}

export function decodeBase64(text: string): Buffer {
  const bytes = bytesOfBase64(text);
  if (!bytes) throw refusal('invalid_base64', 'The text is not base64.', 'audio');
  return bytes;
}
