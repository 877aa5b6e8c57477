/**
 * The sound of a Realtime connection whose voice travels on a track: the server owns play-out and tells of it
 * (docs/spec/protocols.md §1.3).
 */
import type { Session, SessionEvent } from '../../actors/session-api.ts';
import { SESSION_INPUT_RATE_HZ, SESSION_OUTPUT_RATE_HZ, type TrackSound } from '../media/index.ts';
import { type RealtimeMedia, type RealtimeState, refusal, type SendEvent } from '../realtime/index.ts';
import type { CallSession, NetworkReport } from './call-protocol.ts';
import type { VoiceSpeaker, VoiceSpeakerEvents } from './voice-speaker.ts';

/** Replies whose sound may still be told of. */
const MAX_REPLIES = 64;

export class RtcMedia implements RealtimeMedia, CallSession {
  readonly session: Session;
  readonly #state: RealtimeState;
  readonly #send: SendEvent;
  readonly #speaker: VoiceSpeaker;
  readonly #onEvent: (event: SessionEvent) => void;
  /** By item. */
  readonly #responseIds = new Map<string, string>();

  constructor(
    session: Session,
    state: RealtimeState,
    send: SendEvent,
    speaker: VoiceSpeaker,
    onEvent: (event: SessionEvent) => void,
  ) {
    this.session = session;
    this.#state = state;
    this.#send = send;
    this.#speaker = speaker;
    this.#onEvent = onEvent;
  }

  /** What the speaker tells, as events. */
  readonly speakerEvents: VoiceSpeakerEvents = {
    onStarted: itemId => this.#tell('output_audio_buffer.started', itemId),
    onStopped: itemId => this.#tell('output_audio_buffer.stopped', itemId),
    onCleared: itemId => this.#tell('output_audio_buffer.cleared', itemId),
  };

  /** From the track. */
  hear(sound: TrackSound): void {
    if (this.#state.closed) return;
    const ms = (sound.samples.length * 1000) / SESSION_INPUT_RATE_HZ;
    this.#state.pushedMs += ms;
    this.#state.uncommittedMs += ms;
    this.session.send({ type: 'audio', ...sound });
  }

  append(): never {
    throw refusal('unsupported_event', 'Over WebRTC sound comes on the track, not in events.', 'type');
  }

  emptied(): void {}

  /** The track's format was agreed with the offer. */
  setInputFormat(): void {}

  deltas(): null {
    return null;
  }

  /** Cut at what was heard; the session then says so and throws the rest away. */
  clearOutput(): void {
    const speaker = this.#speaker;
    const { heard } = speaker;
    if (heard === null) return;
    const audioEndMs = Math.floor((heard.samples * 1000) / SESSION_OUTPUT_RATE_HZ);
    speaker.flush();
    this.session.send({ type: 'item.truncate', itemId: heard.itemId, audioEndMs });
  }

  /** Our own event beside the protocol's (protocols/realtime/README.md, Extensions). */
  tellNetwork(network: NetworkReport): void {
    if (this.#state.closed || !this.#state.config.longcat.extensions) return;
    const { roundTripMs, jitterBufferMs, lost, late, pictures } = network;
    this.#send('longcat.network', {
      round_trip_ms: roundTripMs,
      jitter_buffer_ms: jitterBufferMs,
      ...{ lost, late, pictures },
    });
  }

  observe(event: SessionEvent): void {
    this.#onEvent(event);
    if (event.type !== 'response.created') return;
    this.#responseIds.set(event.itemId, event.responseId);
    if (this.#responseIds.size > MAX_REPLIES)
      this.#responseIds.delete(this.#responseIds.keys().next().value!);
  }

  #tell(type: string, itemId: string): void {
    const responseId = this.#responseIds.get(itemId);
    if (responseId === undefined || this.#state.closed) return;
    this.#send(type, { response_id: responseId });
  }
}
