/** What a session, and each of its replies, can be set to. */
import type { TruncationPolicy } from './language-model/index.ts';
import type { Delivery } from './play-out/speaker.ts';
import type { BabbleLimits } from './session/babble.ts';
import type { NewItem } from './session-items.ts';
import type { ToolChoice, ToolDeclaration } from './tools/index.ts';
import type { EndpointFromMeaning } from './turn-taking/endpoint.ts';
import type { TurnPreset } from './turn-taking/presets.ts';

export type TurnDetection =
  | { readonly mode: 'manual' }
  | {
      readonly mode: 'vad';
      /** Speech probability above which a 20 ms frame counts as speech, 0–1. */
      readonly threshold: number;
      readonly prefixPaddingMs: number;
      /** t4 − t2 (docs/spec/model.md §6.2). */
      readonly endpointSilenceMs: number;
      /** t3 − t2; ≥ endpointSilenceMs switches speculation off. */
      readonly speculateSilenceMs: number;
      /**
       * Lets the model's P(the user goes on) move the endpoint; null, absent, or a model without a wait token: silence
       * alone.
       */
      readonly meaning?: EndpointFromMeaning | null;
      /**
       * What stands for the four above once the line is heard to be a telephone's, or loses packets; null or absent:
       * nothing.
       */
      readonly telephone?: TurnPreset | null;
      readonly createResponse: boolean;
      readonly interruptResponse: boolean;
    };

export interface SessionSettings {
  /** System turn; empty = none. Fixed once the first turn is in the context, later changes apply by re-prefill. */
  readonly instructions: string;
  readonly outputModality: 'audio' | 'text';
  readonly turnDetection: TurnDetection;
  /** Which of the built-in speakers; of no account where the transport brings its own. */
  readonly delivery: Delivery;
  readonly truncateAt: 'punctuation' | 'word' | 'sample';
  readonly maxReplySteps: number;
  /** Of replies that begin from now on, 0.25–1.5; their pitch is kept. */
  readonly speechSpeed: number;
  readonly temperature: number;
  readonly topK: number;
  readonly topP: number;
  readonly repetitionPenalty: number;
  readonly maxTokensPerPicture: number;
  /** What becomes of the oldest turns when the model's context is full; absent: they go. */
  readonly truncation?: TruncationPolicy;
  /** A reply that has lost itself ends at its last good punctuation, `incomplete` for `babble`; null: it goes on. */
  readonly babble: BabbleLimits | null;
  /**
   * Told to a model that knows tools, beside those of the runtime. A `Tool` (it has a `run`) runs in this process; the
   * others whoever holds the session runs (`response.call`).
   */
  readonly tools: readonly ToolDeclaration[];
  readonly toolChoice: ToolChoice;
  /** False: a reply makes one call at most. */
  readonly parallelToolCalls: boolean;
  readonly toolPolicy: ToolPolicy;
}

/** Of tools that run in this process (docs/tools.md). */
export interface ToolPolicy {
  /**
   * What the model says before a call ("one moment") is only said where the results are not there so long after the end
   * of the turn.
   */
  readonly fillerAfterMs: number;
  /**
   * A user who takes the turn stops calls of tools without effect; false: they go on, and the context gets what they
   * give.
   */
  readonly stopOnBargeIn: boolean;
  /** Calls and replies to their results that follow one turn of the user's, at most. */
  readonly maxRounds: number;
}

export interface ResponseOptions {
  readonly instructions: string;
  readonly outputModality: 'audio' | 'text';
  readonly maxReplySteps: number;
  /** Told for this reply, beside those of the session; a `Tool` runs in this process. */
  readonly tools: readonly ToolDeclaration[];
  readonly toolChoice: ToolChoice;
  /**
   * The reply is made from these alone, and the instructions; it joins the conversation all the same. Absent: from the
   * conversation.
   */
  readonly input: readonly NewItem[];
}
