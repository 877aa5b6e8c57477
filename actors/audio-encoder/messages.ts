import type { Caption } from '../../kernels/engine/index.ts';

/**
 * Audio encoder: one per process, one engine stream per utterance, all sessions batched (ARCHITECTURE.md §3,
 * docs/spec/model.md §3.4).
 *
 *   begin ─ audio* ─┬─ end ──────────────────────────────► vectors … vectors(last)
 *                   └─ speculate ─┬─ commit               the fork's flushed vectors become the utterance's
 *                        ▲        └─ rollback ─ audio* …   the fork is dropped, the utterance goes on
 *                        └──────────────┘                  any number of times
 *
 * Every command travels on one ordered port, because "the audio up to here" is what it means.
 */
export interface AudioEncoderPorts {
  /** Ordered, unfenced: what the user said stays true whatever happens to the answer. */
  readonly utterance: AudioEncoderInput;
  readonly control: AudioEncoderControl;
}

export type AudioEncoderInput =
  /** Opens the utterance, beside others of its session; of more than `MAX_OPEN` the oldest is discarded. */
  | { readonly type: 'begin'; readonly utteranceId: string }
  /**
   * 16 kHz mono in [−1, 1], any length; kept, so not to be written to again. Keeps flowing during a speculation (it
   * goes to the original).
   */
  | { readonly type: 'audio'; readonly utteranceId: string; readonly samples: Float32Array }
  /** t3: finish a copy and answer its flushed vectors, keep the original. Ids are unique within the utterance. */
  | { readonly type: 'speculate'; readonly utteranceId: string; readonly speculationId: number }
  /** The user resumed: the copy's vectors are void. Unknown or finished speculations are ignored. */
  | { readonly type: 'rollback'; readonly utteranceId: string; readonly speculationId: number }
  /** t4: the speculation was right; the utterance is closed and later audio of it is ignored. */
  | { readonly type: 'commit'; readonly utteranceId: string; readonly speculationId: number }
  /** Finishes without a speculation (manual turn-taking, speculation switched off). */
  | { readonly type: 'end'; readonly utteranceId: string }
  /** Drops the utterance without an answer (input cleared). */
  | { readonly type: 'discard'; readonly utteranceId: string };

/**
 * Utterances of a session that are not over: the one that is spoken, those whose ends are being encoded, a recording.
 */
export const MAX_OPEN = 16;

/** Ends everything of the envelope's session. */
type AudioEncoderControl = { readonly type: 'close' };

/** Addressed (session, turn, epoch) as the command that caused it. */
export type AudioEncoderOutput =
  | {
      readonly type: 'vectors';
      readonly utteranceId: string;
      /** Null: true whatever happens. A number: the flush of that speculation, void after its rollback. */
      readonly speculationId: number | null;
      /** [count × hidden]; count may be 0 when `last`. */
      readonly vectors: Float32Array;
      readonly count: number;
      /** Index of the first of these vectors within the utterance. */
      readonly firstIndex: number;
      /** Words heard in these vectors, for live captions; empty where the model has no caption head. */
      readonly captions: readonly Caption[];
      /** True for the answer of `end` and of `speculate`: nothing follows (unless rolled back). */
      readonly last: boolean;
    }
  /** The utterance is lost (engine failure, utterance too long); the session should end or ask again. */
  | {
      readonly type: 'failed';
      readonly utteranceId: string;
      readonly code: string;
      readonly message: string;
    };
