/** What a session of the GPT-Live protocol is given by the connection that carries it. */
import type { Session, SessionEvent } from '../../actors/session-api.ts';
import type { DoorContext } from '../door.ts';
import type { Timers } from '../guard/index.ts';
import type { TrackSound } from '../media/index.ts';
import type { Backend } from './delegation/index.ts';
import type { Outbox } from './outbox.ts';
import type { LineOutlet } from './output-line.ts';

export type LiveContext = Pick<
  DoorContext,
  | 'runtime'
  | 'sessionDefaults'
  | 'modelName'
  | 'unixTimeMs'
  | 'log'
  | 'metrics'
  | 'limits'
  | 'quota'
  | 'clock'
> & {
  /** What answers delegations to `responses`; absent: nothing. */
  readonly backend?: Backend | undefined;
};

/** How the sound of a session travels that does not travel inside its events. */
export interface LiveTrack {
  readonly outlet: LineOutlet;
  /** Called once; the user is heard from now on, at 16 kHz. */
  opened(session: Session, hear: (sound: TrackSound) => void): void;
  observe(event: SessionEvent): void;
}

export interface LiveCallOptions {
  readonly id: string;
  readonly context: LiveContext;
  /** Its callbacks may throw. */
  readonly clock: Timers;
  readonly outbox: Outbox;
  /** Null: sound travels inside the events. */
  readonly track: LiveTrack | null;
  readonly expiresAtSeconds: number;
  /** Tells the client; the session lives on. */
  readonly onError: (error: unknown, eventId: string | null) => void;
  /** What cannot go on, and the session's own end. */
  readonly onBroken: (error: unknown) => void;
  readonly onEnded: (reason: string) => void;
}

export type CloseReason = 'close_requested' | 'expired' | 'remote_hangup' | 'connection_lost';
