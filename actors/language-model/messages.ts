import type { ContextHandover, Positions } from '../../kernels/engine/index.ts';
import type { TokenCount } from '../chunk-interleaver/index.ts';

/**
 * Language model: one per process, ONE continuous batch over all sessions (ARCHITECTURE.md §5): decode steps first,
 * then prefill chunks under a token budget.
 *
 * The session says what the context *is*; the actor brings the engine's cache to it. Items stand in order, each is a
 * run of positions; a reply is an item too. Commands of a session apply in order and at once; `prefill` of anything
 * while a generation runs waits for its end.
 *
 *   prefill(user) … prefill(user)  generate ─┬─ rollback                       as if `generate` had not been sent
 *                                            ├─ commit … (ended)               the reply is history
 *                                            └─ commit … cancel/ended … truncate(steps)   history holds what was heard
 */
export interface LanguageModelPorts {
  /** Ordered, unfenced. Bounded: a session that outruns the model fails with `actor.mailbox-full`. */
  readonly context: ContextCommand;
  readonly control: LanguageModelControl;
}

export type PrefillCommand = Extract<ContextCommand, { type: 'prefill' }>;
export type GenerateCommand = Extract<ContextCommand, { type: 'generate' }>;

export type ItemRole = 'system' | 'user' | 'assistant';

export type ContextCommand =
  /**
   * Appends to an item, creating it at the end, or after `after` (null: first). Appending to an item that is not
   * the last one, or inserting, re-prefills what follows. The positions include the template's headers and newlines.
   */
  | {
      readonly type: 'prefill';
      readonly itemId: string;
      readonly role: ItemRole;
      readonly positions: Positions;
      readonly after?: string | null;
    }
  /**
   * Removes an item (cleared input, deleted item); what follows is re-prefilled. A reply being generated is cancelled
   * first.
   */
  | { readonly type: 'remove'; readonly itemId: string }
  /** t3: checkpoint, append the tail, decode. At most one generation per session runs; a running one is cancelled. */
  | {
      readonly type: 'generate';
      /** Unique within the session; every output names it. */
      readonly generationId: string;
      /** The assistant item that the reply becomes. */
      readonly itemId: string;
      /**
       * Ends the user turn (`<|/audio|>` where audio is open, flushed vectors, newline); null or empty = nothing to
       * end. Stays when the reply is cut to nothing.
       */
      readonly close: Positions | null;
      /** `VOICE ASSISTANT:` or `ASSISTANT:`; instructions for one reply may stand before it. */
      readonly header: Positions;
      /**
       * Made from these positions alone, the system turn among them; the conversation stands aside until the reply has
       * ended.
       */
      readonly input?: Positions;
      readonly options: GenerationOptions;
    }
  /** t4: the checkpoint is given up; `rollback` of it is ignored from now on. */
  | { readonly type: 'commit'; readonly generationId: string }
  /** The user resumed: context as before `generate`. */
  | { readonly type: 'rollback'; readonly generationId: string }
  /**
   * Keeps the first `steps` recorded steps of a reply and closes it (docs/spec/model.md §6.5): `</longcat_s>` with
   * semantic end and the matching acoustics, then the newline. 0 keeps nothing but the end of the user turn. A running
   * generation of the item is cancelled first. More steps than there are = all; steps that an earlier truncate cut come
   * back where there is room.
   */
  | {
      readonly type: 'truncate';
      readonly itemId: string;
      readonly steps: number;
      /**
       * Of a reply that called tools: the calls stay, whatever was heard of what stands before them, which `steps`
       * counts then.
       */
      readonly keepsCall?: boolean;
    }
  /** The turn of this item stays when the oldest go, as far as there is room for such turns (`room.ts`). */
  | { readonly type: 'keep'; readonly itemId: string; readonly rank: KeepRank }
  /** From now on. */
  | { readonly type: 'truncation'; readonly policy: TruncationPolicy };

/** How much it matters that a turn stays: 0 as any other, 2 the most. */
export type KeepRank = 0 | 1 | 2;

/** What becomes of the oldest turns when the context is full. */
export type TruncationPolicy =
  /** They go, until three quarters are left. */
  | { readonly mode: 'auto' }
  /** They stay: what does not fit is refused. */
  | { readonly mode: 'disabled' }
  /**
   * They go, until `share` (0–1) of what may stand after the system turns is left; at most `maxPositions` of it, where
   * given.
   */
  | { readonly mode: 'retain'; readonly share: number; readonly maxPositions?: number };

type LanguageModelControl =
  | { readonly type: 'open' }
  /** Stops decoding; what was generated stays, closed as by `truncate`, until a `truncate` says what was heard. */
  | { readonly type: 'cancel'; readonly generationId: string }
  /** Ends everything of the envelope's session and forgets its context. */
  | { readonly type: 'close' };

export interface GenerationOptions {
  /** False: text only, no audio heads. */
  readonly speech: boolean;
  readonly maxSteps: number;
  readonly temperature: number;
  readonly topK: number;
  readonly topP: number;
  readonly repetitionPenalty: number;
  /** The text id that begins a tool call; absent: no tools were told. */
  readonly callBegin?: number;
  /** The header ends with the beginning of a call: the reply is one from its first step on. */
  readonly startsInCall?: boolean;
}

/**
 * Where a reply stands in the machine of docs/spec/model.md §1.9 after a step; `text-only` for replies without speech.
 */
export type ReplyState = 'text-and-audio' | 'audio-only' | 'text-only' | 'call' | 'end';

export type EndReason = 'ended' | 'max-steps' | 'context-full' | 'cancelled' | 'rolled-back' | 'failed';

/**
 * What stood in the context when a reply was asked for, earlier replies included, and what of it the cache held by
 * then.
 */
export interface ReplyInput {
  readonly all: TokenCount;
  readonly cached: TokenCount;
}

/**
 * Steps and ends carry the address of their `generate`; after the session's epoch rose no step of it is emitted any
 * more, but its end still is, exactly once.
 */
export type LanguageModelOutput =
  | {
      readonly type: 'step';
      readonly generationId: string;
      readonly itemId: string;
      /** 0, 1, 2, … within the reply; what `truncate` counts. */
      readonly index: number;
      /** As recorded: `ABSENT` where the step has no text. */
      readonly textId: number;
      /**
       * Newly readable text, markers removed (docs/spec/model.md §1.9); may be empty. The concatenation is what a
       * person reads.
       */
      readonly textDelta: string;
      /** As recorded, with offset, `ABSENT` where the step has no acoustics. */
      readonly codes: readonly [number, number, number, number];
      readonly state: ReplyState;
      /** It belongs to a tool call, as do all that follow: its text is not shown, and it has no sound. */
      readonly isCall: boolean;
      /** First step only: P(the user has not finished); null in a model without a wait token. */
      readonly waitProbability: number | null;
      /** First step only. */
      readonly input: ReplyInput | null;
      /** First step only, where another server makes the reply. */
      readonly handover: ContextHandover | null;
      /** Of a model on another host: what the way took of the step. */
      readonly hopMs?: number;
    }
  | {
      readonly type: 'ended';
      readonly generationId: string;
      readonly itemId: string;
      readonly reason: EndReason;
      /** Recorded steps, steps with text among them. */
      readonly steps: number;
      readonly textSteps: number;
      /** Text held back until now (an incomplete character, a trailing marker candidate); usually empty. */
      readonly textDelta: string;
      /** Present when `failed`. */
      readonly error: { readonly code: string; readonly message: string } | null;
    }
  /** The cache has caught up with everything sent so far. */
  | { readonly type: 'prefilled'; readonly positions: number }
  /** Oldest whole turns given up to stay within `maxPositions`; the items are no longer in the context. */
  | { readonly type: 'dropped'; readonly itemIds: readonly string[] }
  /**
   * A `prefill` that does not fit (`context.full`), or one too many waits for a reply to end (`context.backlog`): it is
   * not in the context.
   */
  | {
      readonly type: 'refused';
      readonly itemId: string;
      readonly positions: Positions;
      readonly code: string;
      readonly message: string;
    }
  /** `fatal`: the session cannot go on (the engine's error after retries); otherwise one command was refused. */
  | {
      readonly type: 'failed';
      readonly code: string;
      readonly message: string;
      readonly fatal: boolean;
    };
