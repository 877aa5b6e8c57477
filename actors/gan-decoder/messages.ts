/**
 * GAN decoder: one per process, one engine stream per reply, frames of all sessions batched (docs/spec/model.md §4.5). Takes what the
 * speech tokenizer emits; answers sound with the step each 60 ms belongs to, so that the heard-ledger can cut at text.
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
      readonly step: number;
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
      /** Output-rate mono in [−1, 1]; `steps.length` × samplesPerCodeFrame samples. */
      readonly samples: Float32Array;
      /** Step of each code frame of `samples`, in order. */
      readonly steps: readonly number[];
      /** Index of the first sample within the reply. */
      readonly firstSample: number;
    }
  /** Everything of the reply has been emitted. */
  | { readonly type: 'end'; readonly generationId: string; readonly samples: number }
  | {
      readonly type: 'failed';
      readonly generationId: string;
      readonly code: string;
      readonly message: string;
    };
