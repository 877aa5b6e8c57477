/** The user's sound on its way to the session. Muted, or while a fixture plays, the session hears as much silence instead. */
import type { Session } from '../../actors/session-api.ts';
import type { Timers } from '../guard/index.ts';
import { refusal } from '../json/index.ts';
import {
  type AudioDecoder,
  AudioIntake,
  bytesOfBase64,
  bytesOfMs,
  createAudioDecoder,
  type MediaFormat,
  SESSION_INPUT_RATE_HZ,
} from '../media/index.ts';
import type { Timeline } from './timeline.ts';

export interface InputAudioOptions {
  readonly session: Session;
  readonly clock: Timers;
  readonly timeline: Timeline;
  readonly format: MediaFormat;
  readonly isOpen: () => boolean;
}

export class InputAudio {
  isMuted = false;
  /** Nothing of the user's counts for now. */
  isDropped = false;
  readonly #options: InputAudioOptions;
  readonly #decoder: AudioDecoder;
  readonly #intake: AudioIntake;
  #pushedMs = 0;
  /** From the position in the sound to the timeline, as it was at the last append. */
  #offsetMs = 0;

  constructor(options: InputAudioOptions) {
    this.#options = options;
    this.#decoder = createAudioDecoder(options.format);
    this.#intake = new AudioIntake({ ...options, push: bytes => this.#push(bytes) });
  }

  append(base64: string): Promise<void> | void {
    return this.#intake.append(decodeBase64(base64), bytesOfMs(this.#options.format, 1000));
  }

  /** When it was that this position of the sound came. */
  timelineMs(audioMs: number): number {
    return audioMs + this.#offsetMs;
  }

  #push(bytes: Buffer): void {
    const { session, timeline } = this.#options;
    const samples = this.#decoder.push(bytes);
    if (samples.length === 0) return;
    if (this.isMuted || this.isDropped) samples.fill(0);
    this.#pushedMs += (samples.length / SESSION_INPUT_RATE_HZ) * 1000;
    this.#offsetMs = timeline.nowMs - this.#pushedMs;
    session.send({ type: 'audio', samples });
  }
}

export function decodeBase64(text: string): Buffer {
  const bytes = bytesOfBase64(text);
  if (!bytes) throw refusal('invalid_base64', 'The text is not base64.', 'audio');
  return bytes;
}
