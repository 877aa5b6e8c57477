/** Sound as base64 inside the events: `input_audio_buffer.append` in, deltas out; the client owns play-out. */
import type { Session } from '../../actors/session-api.ts';
import type { Timers } from '../guard/index.ts';
import { type MediaDecoder, type MediaEncoder, AudioIntake, SESSION_INPUT_RATE_HZ } from '../media/index.ts';
import { audioBytes, bytesOf, createAudioDecoder, createAudioEncoder } from './audio-format.ts';
import type { RealtimeMedia } from './media.ts';
import { refusal } from './protocol-error.ts';
import type { AudioFormat } from './session-fields.ts';
import type { RealtimeState } from './state.ts';

export class JsonMedia implements RealtimeMedia {
  readonly #session: Session;
  readonly #state: RealtimeState;
  readonly #intake: AudioIntake;
  #decoder: MediaDecoder;

  constructor(session: Session, state: RealtimeState, clock: Timers) {
    this.#session = session;
    this.#state = state;
    this.#decoder = createAudioDecoder(state.config.audio.input.format);
    const isOpen = () => !state.closed;
    this.#intake = new AudioIntake({ session, clock, isOpen, push: bytes => this.#push(bytes) });
  }

  append(audio: string): Promise<void> | void {
    const bytes = audioBytes(audio, 'audio');
    return this.#intake.append(bytes, bytesOf(this.#state.config.audio.input.format, 1000));
  }

  emptied(): void {
    this.#decoder.dropHalfSample();
  }

  setInputFormat(format: AudioFormat): void {
    this.#decoder = createAudioDecoder(format);
  }

  deltas(format: AudioFormat): MediaEncoder {
    return createAudioEncoder(format);
  }

  clearOutput(): never {
    throw refusal(
      'unsupported_event',
      'Over WebSocket the client owns play-out; there is no output buffer here.',
      'type',
    );
  }

  #push(bytes: Buffer): void {
    this.#state.uncommittedMs += (bytes.length / bytesOf(this.#state.config.audio.input.format, 1000)) * 1000;
    const samples = this.#decoder.push(bytes);
    if (samples.length === 0) return;
    this.#state.pushedMs += (samples.length / SESSION_INPUT_RATE_HZ) * 1000;
    this.#session.send({ type: 'audio', samples });
  }
}
