/** What a call carries: a protocol's events on its channel, and what the protocol makes of the call's sound. */
import type { Session, SessionEvent } from '../../actors/session-api.ts';
import type { ConnectionListener } from '../connection.ts';
import type { TrackSound } from '../media/index.ts';
import type { RealtimeContext } from '../realtime/index.ts';
import type { ChannelEvents } from './channel-events.ts';
import type { ControlLine } from './control-line.ts';
import type { VoiceSpeaker, VoiceSpeakerEvents } from './voice-speaker.ts';

/** What all calls of a server share. */
export type CallContext = Pick<RealtimeContext, 'log' | 'clock' | 'limits' | 'pictures'>;

/** Of the last second, as far as it is known; packets since the call began. */
export interface NetworkReport {
  readonly roundTripMs: number | null;
  /** How long a hole in the caller's voice is waited for now. */
  readonly jitterBufferMs: number;
  readonly lost: number;
  readonly late: number;
  /** That were taken and shown to the model. */
  readonly pictures: number;
}

/** An open session, as the call sees it. */
export interface CallSession {
  readonly session: Session;
  /** From the track, 16 kHz. */
  hear(sound: TrackSound): void;
  /** A key of the caller's, beside what the session makes of it. */
  pressed?(key: string): void;
  tellNetwork?(network: NetworkReport): void;
  readonly speakerEvents?: VoiceSpeakerEvents;
}

export interface CallEnds {
  readonly id: string;
  readonly line: ControlLine;
  readonly speaker: VoiceSpeaker;
  readonly limits: CallContext['limits'];
  readonly opened: (opened: CallSession) => void;
  readonly observe: (event: SessionEvent) => void;
}

export interface CallProtocol {
  /** The beginning of its calls' ids; the ways in of one protocol do not lead to the calls of another. */
  readonly prefix: 'rtc_' | 'live_';
  readonly events: ChannelEvents;
  /** Opens the session; where it cannot be, the line was closed. */
  open(ends: CallEnds): ConnectionListener;
}
