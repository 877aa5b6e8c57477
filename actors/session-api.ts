/**
 * A session as the outside sees it: what protocols, the command line and the simulator's people hold in their hands.
 * `session.ts` implements it by wiring the actors in the order of ARCHITECTURE.md §1.
 */
import type { Observable } from 'rxjs';
import type { Waterfall } from './core/trace.ts';
import type { RuntimeHealth } from './health.ts';
import type { Speaker } from './play-out/speaker.ts';
import type { SessionCommand } from './session-commands.ts';
import type { ConversationItem } from './session-items.ts';
import type { SessionSettings } from './session-settings.ts';
import type { Tool } from './tools/index.ts';

export type { Delivery, Played, Speaker } from './play-out/speaker.ts';
export type * from './session-commands.ts';
export type * from './session-items.ts';
export type * from './session-settings.ts';
export type {
  Tool,
  ToolChoice,
  ToolContext,
  ToolDeclaration,
  ToolEffect,
  ToolServer,
} from './tools/index.ts';

export interface Session {
  readonly id: string;
  /** Hot; completes after `ended`. Events are delivered synchronously, in the order they happened. */
  readonly events$: Observable<SessionEvent>;
  readonly settings: SessionSettings;
  readonly items: readonly ConversationItem[];
  /**
   * Sound that was pushed and that the model's ear has yet to take in, in milliseconds. Who sends faster than real time
   * waits on it.
   */
  readonly unheardMs: number;
  /**
   * The whole words of a spoken reply whose sound lies within its first so many samples (output rate); empty where
   * there is none.
   */
  wordsWithin(itemId: string, samples: number): string;

  /** Throws a `RuntimeError`, and changes nothing, where the command is refused; `session.ended` when it is over. */
  send(command: SessionCommand): void;
  close(reason: string): void;
}

/** What the agent is doing, for a person to see (ARCHITECTURE.md §4). */
export type TurnState =
  | 'idle'
  | 'userSpeaking'
  | 'maybeDone'
  | 'speculating'
  | 'agentSpeaking'
  | 'working'
  | 'ducked'
  | 'interrupted';

export type SessionEvent =
  | { readonly type: 'state'; readonly state: TurnState; readonly atMs: number }
  /** Positions in `…Ms` of speech events count audio pushed since the session opened. */
  | {
      readonly type: 'speech.started';
      readonly itemId: string;
      readonly audioStartMs: number;
      readonly atMs: number;
    }
  | {
      readonly type: 'speech.stopped';
      readonly itemId: string;
      readonly audioEndMs: number;
      readonly atMs: number;
    }
  | { readonly type: 'input.committed'; readonly itemId: string; readonly previousItemId: string | null }
  | { readonly type: 'input.cleared' }
  /** `responseId`: of the reply that made it, where it is a call of a tool of this process. */
  | { readonly type: 'item.added'; readonly item: ConversationItem; readonly responseId?: string }
  | { readonly type: 'item.done'; readonly item: ConversationItem }
  | { readonly type: 'item.deleted'; readonly itemId: string }
  /**
   * The oldest turns made room in the model's context: the items are still here, but the model does not know them any
   * more.
   */
  | { readonly type: 'context.dropped'; readonly itemIds: readonly string[] }
  /** What the model is told from now on of the items that left its context (`Memory.summarise`). */
  | { readonly type: 'context.summarised'; readonly text: string }
  | {
      readonly type: 'item.truncated';
      readonly itemId: string;
      readonly audioEndMs: number;
      readonly text: string;
    }
  | {
      readonly type: 'input.transcript';
      readonly itemId: string;
      readonly delta: string;
      /** Comes once for every committed turn, with an empty delta where nothing more was recognised. */
      readonly final: boolean;
    }
  /** A committed turn of which nothing can be written down: the model hears no words. */
  | { readonly type: 'input.untranscribed'; readonly itemId: string }
  | {
      readonly type: 'response.created';
      readonly responseId: string;
      readonly itemId: string;
    }
  | {
      readonly type: 'response.text';
      readonly responseId: string;
      readonly itemId: string;
      readonly delta: string;
    }
  /**
   * Such a call is being written: `delta` follows what was told of its arguments before. It is none before
   * `response.call` with the same item, whose arguments begin with all that was told; which does not come where the
   * reply is broken off.
   */
  | {
      readonly type: 'response.call.delta';
      readonly responseId: string;
      readonly itemId: string;
      readonly callId: string;
      readonly name: string;
      readonly delta: string;
    }
  /**
   * The model calls a tool that whoever holds the session is to run: add what came of it as an item, then ask for a
   * reply.
   */
  | { readonly type: 'response.call'; readonly responseId: string; readonly item: ConversationItem }
  /** Output-rate mono in [−1, 1]. */
  | {
      readonly type: 'response.audio';
      readonly responseId: string;
      readonly itemId: string;
      readonly samples: Float32Array;
    }
  | {
      readonly type: 'response.done';
      readonly responseId: string;
      readonly itemId: string;
      readonly status: ResponseStatus;
      readonly usage: Usage;
    }
  /** Output level for play-out that we or the page control: 0 dB = normal. */
  | { readonly type: 'duck'; readonly gainDb: number }
  /** Everything sent and not yet heard must be thrown away (carrier `clear`, page queue). */
  | { readonly type: 'playout.clear'; readonly itemId: string | null }
  | { readonly type: 'turn.trace'; readonly trace: TurnTrace }
  | { readonly type: 'error'; readonly code: string; readonly message: string; readonly fatal: boolean }
  | { readonly type: 'ended'; readonly reason: string };

export type ResponseStatus =
  | { readonly kind: 'completed' }
  | { readonly kind: 'cancelled'; readonly reason: 'interrupted' | 'asked' }
  | { readonly kind: 'incomplete'; readonly reason: 'max-steps' | 'babble' }
  | { readonly kind: 'failed'; readonly code: string; readonly message: string };

/**
 * In tokens, which are positions of the language model: all that stood before it when the reply was asked for, what was
 * heard of earlier replies included; what of that the cache held already; and the reply's own steps. A step with text
 * and sound counts as text, one with sound alone as audio, so that the output never exceeds `maxReplySteps`.
 */
export interface Usage {
  readonly inputTextTokens: number;
  readonly inputAudioTokens: number;
  readonly inputImageTokens: number;
  readonly cachedTextTokens: number;
  readonly cachedAudioTokens: number;
  readonly cachedImageTokens: number;
  readonly outputTextTokens: number;
  readonly outputAudioTokens: number;
}

/** One user turn and its reply. Times are session-clock milliseconds; null = did not happen. */
export interface TurnTrace {
  readonly turn: number;
  readonly text: string;
  readonly userTranscript: string | null;
  readonly timeline: {
    readonly speechStart: number | null;
    readonly speechEnd: number | null;
    readonly speculate: number | null;
    readonly endpoint: number | null;
    readonly firstAudio: number | null;
    readonly end: number | null;
  };
  readonly waterfall: Waterfall | null;
  readonly interrupted: boolean;
  readonly heardMs: number;
  readonly speculations: number;
  readonly rollbacks: number;
}

export interface SessionOptions {
  /** Absent: one is made up. */
  readonly id?: string;
  /** The transport's own last queue before the ear; absent: `delivery` chooses. */
  readonly speaker?: Speaker;
  /** Run in this process, for this session, beside those of the runtime. Error `tool.invalid`. */
  readonly tools?: readonly Tool[];
}

/** Everything shared by the sessions of one process: the engine, the batching actors, the clock, the limits. */
export interface Runtime {
  /** Errors `runtime.full`, `runtime.closed`, `session.duplicate`, and those of `Session.update`. */
  openSession(settings?: Partial<SessionSettings>, options?: SessionOptions): Session;
  readonly sessions: ReadonlyMap<string, Session>;
  readonly limits: RuntimeLimits;
  /** Whether the model was taught tools, so that offering it some is of use. */
  readonly callsTools: boolean;
  readonly health: RuntimeHealth;
  close(): Promise<void>;
}

export interface RuntimeLimits {
  readonly maxSessions: number;
  readonly maxBatch: number;
  readonly prefillTokenBudget: number;
  readonly maxBufferedSpeechMs: number;
  readonly maxItems: number;
  /** Of sound in the items of a session. */
  readonly maxSoundSamples: number;
}
