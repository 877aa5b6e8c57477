/**
 * How the sound of a Realtime connection travels. The control events (`client-handler.ts`, `session-events.ts`) are the
 * same over a WebSocket and over a data channel; what is not is here: over a WebSocket sound is base64 inside the
 * events (`json-media.ts`).
 */
import type { Session, SessionEvent, Speaker } from '../../actors/session-api.ts';
import type { Timers } from '../guard/index.ts';
import type { MediaEncoder } from '../media/index.ts';
import type { SendEvent } from './outbox.ts';
import type { AudioFormat } from './session-fields.ts';
import type { RealtimeState } from './state.ts';

export interface RealtimeMedia {
  /** Sound inside an `input_audio_buffer.append`, base64. */
  append(audio: string): Promise<void> | void;
  /** The input buffer was committed or cleared. */
  emptied(): void;
  setInputFormat(format: AudioFormat): void;
  /** What turns a reply's sound into deltas; null: it travels elsewhere, and the events tell of its words only. */
  deltas(format: AudioFormat): MediaEncoder | null;
  /** `output_audio_buffer.clear`; throws a refusal where the client owns play-out. */
  clearOutput(): void;
  /** What happened in the session, after the client was told. */
  observe?(event: SessionEvent): void;
}

export type OpenMedia = (
  session: Session,
  state: RealtimeState,
  clock: Timers,
  send: SendEvent,
) => RealtimeMedia;

/** How a connection's sound travels, and the last queue before the ear where the transport has its own. */
export interface RealtimeTransport {
  readonly openMedia: OpenMedia;
  readonly speaker?: Speaker;
}
