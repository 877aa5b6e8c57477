/**
 * GAN decoder: one per process, one engine stream per reply, frames of all sessions batched (docs/spec/model.md §4.5).
 * Takes code frames; answers sound, in order and each frame once, whatever became of its streams.
 */
export interface GanDecoderPorts {
  /** In order per reply. Fenced: frames of an older epoch never become sound. */
  readonly frames: GanDecoderInput;
  readonly control: GanDecoderControl;
}

export type GanDecoderInput =
  | {
      readonly type: 'frame';
      readonly generationId: string;
      /** [4] codebook values without the id offset. */
      readonly codes: readonly number[];
    }
  /** Flushes the look-ahead. */
  | { readonly type: 'end'; readonly generationId: string };

type GanDecoderControl =
  /** Drops a reply (rollback, cancel); its stream is closed. Raising the epoch does the same. */
  { readonly type: 'discard'; readonly generationId: string } | { readonly type: 'close' };

export type GanDecoderOutput =
  | {
      readonly type: 'speech';
      readonly generationId: string;
      /** Output-rate mono in [−1, 1]; whole code frames. */
      readonly samples: Float32Array;
    }
  /** Everything of the reply has been emitted. */
  | { readonly type: 'end'; readonly generationId: string; readonly samples: number }
  | {
      readonly type: 'failed';
      readonly generationId: string;
      readonly code: string;
      readonly message: string;
    };
