import type { EncodedFrameUnit } from './live.ts';
import type { Piece } from './piece.ts';

/**
 * Chunk interleaver: what the encoders answer for the user turns of one session, in; pieces of context, out
 * (docs/spec/model.md docs/spec/model.md §5.3, §5.4). One per session. Unfenced: what the user said stays true whatever
 * happens to the answer.
 *
 *   begin ─ vectors*, unit*, chunk.ended* ─┬─ tail ─► flush ─► tail pieces ─┬─ over
 *             └──► pieces, as chunks        └──── tail.withdrawn ◄───────────┘
 *                  become complete                (the user resumed)
 */
export interface ChunkInterleaverPorts {
  /** In order per turn. Fails loudly. */
  readonly vectors: TurnVectors;
  /**
   * One answer for each unit that was announced, and the sparse ones. Fails loudly: the live video was thinned before.
   */
  readonly units: EncodedUnit;
  readonly control: InterleaverCommand;
}

export type TurnVectors = {
  readonly turnId: string;
  /** The tail that these vectors flush; null for vectors of the turn as it goes on. */
  readonly tailId: number | null;
  /** [count × hidden]; the first has this index within the turn. */
  readonly vectors: Float32Array;
  readonly count: number;
  readonly firstIndex: number;
};

/** `unit` is null where it was dropped or failed. */
export type EncodedUnit = { readonly unitId: string; readonly unit: EncodedFrameUnit | null };

export type InterleaverCommand =
  /**
   * A turn opens, with the buffered sparse units before it. Without `prefills` nothing of it leaves before its tail: a
   * turn that a client commits by hand must not stand half in the context of replies that are asked for meanwhile.
   */
  | { readonly type: 'begin'; readonly turnId: string; readonly prefills: boolean }
  /** The chunk waits for this unit. */
  | {
      readonly type: 'unit.expected';
      readonly turnId: string;
      readonly unitId: string;
      readonly chunk: number;
    }
  /** A second of audio is full. */
  | { readonly type: 'chunk.ended'; readonly turnId: string }
  /** The rest of the turn is wanted as soon as its flush and its units are there; chunks wait from now on. */
  | { readonly type: 'tail'; readonly turnId: string; readonly tailId: number }
  | { readonly type: 'tail.withdrawn'; readonly turnId: string }
  /** Nothing is added to the turn any more; it is forgotten when its tail has left. */
  | { readonly type: 'over'; readonly turnId: string }
  /** As if the turn had never been. */
  | { readonly type: 'discarded'; readonly turnId: string };

export type ChunkInterleaverOutput =
  | { readonly type: 'pieces'; readonly turnId: string; readonly pieces: readonly Piece[] }
  | {
      readonly type: 'tail';
      readonly turnId: string;
      readonly tailId: number;
      readonly pieces: readonly Piece[];
      /** The turn has pictures: the last of them may be what the tail has waited for. */
      readonly seesPictures: boolean;
    };
