/** Sound as base64 inside the events: `input_audio_buffer.append` in, deltas out; the client owns play-out. */
import type { Session } from '../../actors/session-api.ts';
import type { Timers } from '../guard/index.ts';
import { type AudioDecoder, type AudioEncoder, SESSION_INPUT_RATE_HZ } from '../media/index.ts';
import { audioBytes, bytesOf, createAudioDecoder, createAudioEncoder } from './audio-format.ts';
import type { RealtimeMedia } from './media.ts';
import { refusal } from './protocol-error.ts';
import type { AudioFormat } from './session-fields.ts';
import type { RealtimeState } from './state.ts';

/** Audio of one append that is handed to the session at once. */
const APPEND_SLICE_MS = 1000;
/** Sound that the model's ear may be behind by; more waits here, and with it all that this client sends. */
const MAX_UNHEARD_MS = 10_000;
const UNHEARD_POLL_MS = 10;
/** An ear that takes nothing in for so long is not waited for. */
const MAX_UNHEARD_WAIT_MS = 30_000;

export class JsonMedia implements RealtimeMedia {
  readonly #session: Session;
  readonly #state: RealtimeState;
  readonly #clock: Timers;
  #decoder: AudioDecoder;

  constructor(session: Session, state: RealtimeState, clock: Timers) {
    this.#session = session;
    this.#state = state;
    this.#clock = clock;
    this.#decoder = createAudioDecoder(state.config.audio.input.format);
  }

  /** A long append is handed on in slices, one a turn of the event loop, so that other sessions are not kept waiting. */
  append(audio: string): Promise<void> | void {
    const bytes = audioBytes(audio, 'audio');
    const sliceBytes = bytesOf(this.#state.config.audio.input.format, APPEND_SLICE_MS);
    if (bytes.length <= sliceBytes && this.#session.unheardMs <= MAX_UNHEARD_MS) return this.#push(bytes);
    return this.#pushSlices(bytes, sliceBytes);
  }

  emptied(): void {
    this.#decoder.dropHalfSample();
  }

  setInputFormat(format: AudioFormat): void {
    this.#decoder = createAudioDecoder(format);
  }

  deltas(format: AudioFormat): AudioEncoder {
    return createAudioEncoder(format);
  }

  clearOutput(): never {
    throw refusal(
      'unsupported_event',
      'Over WebSocket the client owns play-out; there is no output buffer here.',
      'type',
    );
  }

  async #pushSlices(bytes: Buffer, sliceBytes: number): Promise<void> {
    for (let at = 0; at < bytes.length && !this.#state.closed; at += sliceBytes) {
      await this.#waitUntilHeard();
      if (this.#state.closed) return;
      this.#push(bytes.subarray(at, at + sliceBytes));
      await new Promise<void>(resolve => this.#clock.setTimer(0, resolve));
    }
  }

  async #waitUntilHeard(): Promise<void> {
    const giveUpAtMs = this.#clock.nowMs() + MAX_UNHEARD_WAIT_MS;
    while (this.#isBehind() && this.#clock.nowMs() < giveUpAtMs && !this.#state.closed)
      await new Promise<void>(resolve => this.#clock.setTimer(UNHEARD_POLL_MS, resolve));
  }

  #isBehind(): boolean {
    return this.#session.unheardMs > MAX_UNHEARD_MS;
  }

  #push(bytes: Buffer): void {
    this.#state.uncommittedMs += (bytes.length / bytesOf(this.#state.config.audio.input.format, 1000)) * 1000;
    const samples = this.#decoder.push(bytes);
    if (samples.length === 0) return;
    this.#state.pushedMs += (samples.length / SESSION_INPUT_RATE_HZ) * 1000;
    this.#session.send({ type: 'audio', samples });
  }
}
