/** Sessions over WebRTC, as this door needs them of whoever serves calls (`protocols/webrtc/`). */
import type { Connection, ConnectionListener } from '../connection.ts';
import type { SessionFields } from './session-config.ts';

export interface LiveCalls {
  /** Answers an offer with a session. Errors `webrtc.…`, and refusals of what the session asks for. */
  start(offer: string, session: SessionFields): Promise<{ readonly id: string; readonly sdp: string }>;
  has(id: string): boolean;
  /** Answers an offer within a session, as of a caller whose network changed. Errors `webrtc.…`. */
  change(id: string, offer: string): Promise<string>;
  hangUp(id: string): void;
  /** For a connection at the side of a running session; null: there is none of this id. */
  attach(id: string): ((side: Connection) => ConnectionListener) | null;
}
