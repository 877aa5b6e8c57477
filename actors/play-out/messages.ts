import type { Speaker } from './speaker.ts';

/**
 * Play-out, the last stage of a session before the ear. One per session; the heard-ledger, which must not be lost,
 * lives outside.
 */
export interface PlayOutPorts {
  /** Speech of replies, in order. Fenced: what was cancelled is never heard. Fails loudly. */
  readonly speech: PlayOutSpeech;
  readonly control: PlayOutControl;
}

export type PlayOutSpeech =
  /** Leaves at `speed` times its own, its pitch kept; the item's first one decides. */
  | {
      readonly type: 'speech';
      readonly itemId: string;
      readonly samples: Float32Array;
      readonly speed: number;
    }
  /** No more speech of this item will come. */
  | { readonly type: 'end'; readonly itemId: string };

export type PlayOutControl =
  | { readonly type: 'gate'; readonly open: boolean }
  | { readonly type: 'speaker'; readonly speaker: Speaker }
  | { readonly type: 'gain'; readonly gainDb: number }
  /**
   * Nothing leaves while it is decided whether the user takes the turn; where the far end plays by itself and cannot be
   * paused this has no effect.
   */
  | { readonly type: 'hold'; readonly held: boolean }
  /** The far end, which plays by itself, is out of reach, or there again. */
  | { readonly type: 'line'; readonly lost: boolean }
  /** The ledger has a new report of this item. */
  | { readonly type: 'reported'; readonly itemId: string }
  /** What has not left is dropped; the item then ends with what was sent, even if that is nothing. */
  | { readonly type: 'drop-unsent'; readonly itemId: string }
  /** No more than so many samples of the item, counted from its beginning, shall be heard; what has left stays. */
  | { readonly type: 'limit'; readonly itemId: string; readonly samples: number }
  /**
   * The far end has stopped the item by itself; its account is closed. Nothing more of it leaves, nothing is told of it
   * any more.
   */
  | { readonly type: 'stopped'; readonly itemId: string }
  /** The item was never meant to be heard (a speculation rolled back): as if it had not been there. */
  | { readonly type: 'discard'; readonly itemId: string }
  /** Throws away everything that was not heard, here and in the far queue; the ledger's accounts are closed by then. */
  | { readonly type: 'clear' };

export type PlayOutOutput =
  /** Samples leave; `playsAtMs` is when the first of them reaches the ear as far as we know. */
  | {
      readonly type: 'audio';
      readonly itemId: string;
      readonly samples: Float32Array;
      readonly playsAtMs: number;
    }
  /** Everything of the item has left; it may still be playing at the far end. */
  | { readonly type: 'sent'; readonly itemId: string }
  /** Everything of the item has been heard. */
  | { readonly type: 'heard'; readonly itemId: string };
