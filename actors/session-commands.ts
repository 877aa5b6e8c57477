/**
 * What a session can be told: data, so that every door speaks to it in the same way, and a recording holds it as it was
 * said. Ids that the sender wants to know are given by the sender. `Session.send` throws, and changes nothing, where a
 * command is refused.
 */
import type { Picture } from '../kernels/engine/index.ts';
import type { NewItem } from './session-items.ts';
import type { ResponseOptions, SessionSettings } from './session-settings.ts';

export type SessionCommand =
  | AudioCommand
  | PictureCommand
  /**
   * A key of a telephone: 0–9, *, #, A–D; else error `dtmf.unknown`. Keys pressed one after another become an item of
   * the user's.
   */
  | { readonly type: 'dtmf'; readonly digit: string }
  /** Manual turn-taking: makes the buffered user audio an item. Error `input.empty` when there is none. */
  | { readonly type: 'input.commit' }
  | { readonly type: 'input.clear' }
  | AddItemCommand
  /** Error `item.unknown`, as of all that name an item. */
  | { readonly type: 'item.delete'; readonly itemId: string }
  /**
   * What is kept of an item of kind `foreign` changes; `item.done` tells it. Errors `item.unknown`, `item.not-foreign`.
   */
  | {
      readonly type: 'item.update';
      readonly itemId: string;
      readonly fields: Readonly<Record<string, unknown>>;
    }
  /**
   * The client says how much of an assistant item was heard; the context is cut accordingly. Its first word counts up
   * to what was sent, whatever the session had assumed; later ones can only take away. `item.truncated` tells what was
   * done.
   */
  | { readonly type: 'item.truncate'; readonly itemId: string; readonly audioEndMs: number }
  /**
   * Starts a reply; `responseId` is told with it. Errors `response.active` when one is running,
   * `instructions.oversized`.
   */
  | {
      readonly type: 'response.create';
      readonly responseId?: string;
      readonly options?: Partial<ResponseOptions>;
    }
  /** Error `response.none` when nothing, or not this one, is active. */
  | { readonly type: 'response.cancel'; readonly responseId?: string }
  /** The far end, which owns play-out, cannot be reached, or can again: nobody hears what is sent meanwhile. */
  | { readonly type: 'line'; readonly lost: boolean }
  /** Merges. Errors `settings.invalid`, `instructions.oversized`. */
  | { readonly type: 'settings.update'; readonly settings: Partial<SessionSettings> }
  /**
   * The far end's word: samples of this item (output rate) that were heard, the last of them at `atMs`, absent: now.
   */
  | {
      readonly type: 'played';
      readonly itemId: string;
      readonly samples: number;
      readonly atMs?: number;
      /** When the first of them was heard, where that is known to the millisecond. */
      readonly firstAtMs?: number;
    };

export interface AudioCommand {
  readonly type: 'audio';
  /**
   * 16 kHz mono in [−1, 1], any length; kept, so not to be written to again. `endpoint` decisions follow it, not the
   * wall.
   */
  readonly samples: Float32Array;
  /**
   * Where its first sample lies on the transport's media clock (RTP timestamp, in milliseconds from any zero). What is
   * missing to the audio before is a gap, which passes as lost sound; what came already is left out. Absent: it follows
   * on.
   */
  readonly mediaMs?: number;
  /** Put in by the transport for a packet that was lost: it takes its time, and nothing is learnt from it. */
  readonly lost?: boolean;
  /** The sender, who tells voices, heard none in it: the detector has to be surer that there is one. */
  readonly isVoiceless?: boolean;
  /**
   * For so long the transport kept it, whole: its jitter buffer waited for another. Given with each piece, or with
   * none: the pieces are then packets, and a turn's account says what they and the buffer took.
   */
  readonly waitedMs?: number;
  /** Before that the network took so much longer for it than for the soonest of its stream. */
  readonly lateMs?: number;
  /** Of what it was made from, the transport still has so much at its end, in a resampler. Absent: nothing. */
  readonly heldBackMs?: number;
}

/**
 * One picture of the live stream, stamped with the session clock on arrival unless told otherwise, never later. A file
 * is unpacked where the model looks at it; one that cannot be is told by an `error` event (`picture.*`).
 */
export interface PictureCommand {
  readonly type: 'picture';
  readonly image: Picture;
  readonly capturedAtMs?: number;
}

/**
 * Errors `item.duplicate`, `item.unknown`, `item.unsupported`, `items.full`, `item.oversized` and `context.full` (more
 * than the model's context holds). Where that shows only after pictures or sound were encoded, an `error` event tells
 * it and the item is deleted.
 */
export interface AddItemCommand {
  readonly type: 'item.add';
  readonly item: NewItem;
  /** The item that it follows; null: it is the first; absent: it is the last. */
  readonly after?: string | null;
}
