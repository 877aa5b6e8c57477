/**
 * `idle_timeout_ms` (docs/spec/protocols.md §1.4): when a reply has been played and the user stays silent, an empty
 * segment is committed and the model is asked to go on.
 */
import { randomUUID } from 'node:crypto';
import type { Timer } from '../../actors/core/clock.ts';
import type { Session, SessionEvent } from '../../actors/session-api.ts';
import type { Timers } from '../guard/index.ts';
import { SESSION_INPUT_RATE_HZ } from '../media/index.ts';
import type { SendEvent } from './outbox.ts';
import type { RealtimeState } from './state.ts';

/** The empty segment: one frame of silence. */
const SEGMENT_SAMPLES = SESSION_INPUT_RATE_HZ / 50;

export class IdlePrompt {
  readonly #session: Session;
  readonly #state: RealtimeState;
  readonly #send: SendEvent;
  readonly #clock: Timers;
  readonly #onError: (error: unknown) => void;
  #timer: Timer | null = null;
  /** When the current reply began to be sent; its play-out cannot end before this plus its length. */
  #firstAudioAtMs: number | null = null;
  #itemId: string | null = null;

  constructor(
    session: Session,
    state: RealtimeState,
    send: SendEvent,
    clock: Timers,
    onError: (error: unknown) => void,
  ) {
    this.#session = session;
    this.#state = state;
    this.#send = send;
    this.#clock = clock;
    this.#onError = onError;
  }

  observe(event: SessionEvent): void {
    if (event.type === 'response.audio') this.#firstAudioAtMs ??= this.#clock.nowMs();
    if (event.type === 'speech.started' || event.type === 'response.created') this.stop();
    if (event.type === 'response.created') {
      this.#firstAudioAtMs = null;
      this.#itemId = event.itemId;
    }
    // Whoever truncates has stopped playing: it is quiet from now on.
    if (event.type === 'item.truncated' && event.itemId === this.#itemId && this.#timer !== null)
      this.start(0);
  }

  /** A reply was sent completely; `audioMs` long. */
  start(audioMs: number): void {
    this.stop();
    const idleMs = this.#idleMs();
    if (idleMs === null) return;
    const nowMs = this.#clock.nowMs();
    const stillPlayingMs = Math.max(0, (this.#firstAudioAtMs ?? nowMs) + audioMs - nowMs);
    const startMs = Math.round(this.#state.pushedMs + stillPlayingMs);
    this.#timer = this.#clock.setTimer(stillPlayingMs + idleMs, () => this.#expire(startMs));
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  #idleMs(): number | null {
    const vad = this.#state.config.audio.input.turn_detection;
    return vad?.type === 'server_vad' ? vad.idle_timeout_ms : null;
  }

  #expire(startMs: number): void {
    this.#timer = null;
    // The setting that started the timer may have been withdrawn since.
    if (this.#idleMs() === null) return;
    const id = `item_${randomUUID()}`;
    const endMs = Math.max(startMs, Math.round(this.#state.pushedMs));
    const previousItemId = this.#session.items.at(-1)?.id ?? null;
    this.#send('input_audio_buffer.timeout_triggered', {
      item_id: id,
      audio_start_ms: startMs,
      audio_end_ms: endMs,
    });
    this.#send('input_audio_buffer.committed', { item_id: id, previous_item_id: previousItemId });
    const samples = new Float32Array(SEGMENT_SAMPLES);
    try {
      const item = { id, role: 'user', content: [{ type: 'audio', samples, transcript: null }] } as const;
      this.#session.send({ type: 'item.add', item });
      // Whoever waits for the words of every committed segment learns that there are none.
      if (this.#state.config.audio.input.transcription !== null) {
        const usage = { type: 'duration', seconds: SEGMENT_SAMPLES / SESSION_INPUT_RATE_HZ };
        const words = { item_id: id, content_index: 0, transcript: '', usage };
        this.#send('conversation.item.input_audio_transcription.completed', words);
      }
      this.#session.send({ type: 'response.create' });
    } catch (error) {
      this.#onError(error);
    }
  }
}
