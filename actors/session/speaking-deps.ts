/** What the agent's side of a session is given, and what it tells. */
import type { ModelDescription, Positions } from '../../kernels/engine/index.ts';
import type { Piece } from '../chunk-interleaver/index.ts';
import type { Clock } from '../core/clock.ts';
import type { HeardLedger, Speaker } from '../play-out/index.ts';
import type { SessionEvent, SessionSettings } from '../session-api.ts';
import type { ContextQueue } from './context-queue.ts';
import type { Conversation } from './conversation.ts';
import type { Line } from './line.ts';
import type { OfferedTools } from './offered-tools.ts';
import type { ReplyRequest } from './reply-request.ts';
import type { Work } from './work.ts';

export interface SpeakingDeps {
  readonly clock: Clock;
  readonly line: Line;
  readonly queue: ContextQueue;
  readonly conversation: Conversation;
  readonly model: ModelDescription;
  /** Perceive wants to know what the agent's own voice is. */
  readonly rejectsEcho: boolean;
  /** What was heard; the play-out actor keeps the books. */
  readonly ledger: HeardLedger;
  /** Where it goes. */
  readonly speaker: () => Speaker;
  readonly settings: () => SessionSettings;
  readonly write: (itemId: string, pieces: readonly Piece[]) => Positions;
  readonly newId: (prefix: string) => string;
  readonly emit: (event: SessionEvent) => void;
  readonly makeRoom: () => void;
  /** Calls of tools that run here. */
  readonly work: Work;
  /** Tools that may be called, for this reply beside those of the session. */
  readonly offered: (options: ReplyRequest) => OfferedTools | null;
}

export interface SpeakingEvents {
  /** Nothing of any reply is left to be heard. */
  readonly onFinished: () => void;
  /** The same, and results of calls are awaited. */
  readonly onWaits: () => void;
  /** The far end has all of every reply, and owns what it has not played: nothing is active for the outside. */
  readonly onSent: () => void;
  /** The first step of a speculation: P(the user goes on). May end the speculation. */
  readonly onWaitProbability: (probability: number) => void;
  /** The reply failed before it was delivered. */
  readonly onSpeculationFailed: () => void;
}
