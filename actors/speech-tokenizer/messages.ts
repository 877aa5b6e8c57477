/**
 * Speech tokenizer: turns recorded steps into code frames (the acoustic codes of a frame stand one step later, docs/spec/model.md §1.7)
 * and encodes audio items of the history into codes through the engine (docs/spec/model.md §4).
 */
export interface SpeechTokenizerPorts {
  /** The language model's steps of a reply, in order. Fenced. */
  readonly steps: RecordedStep;
  /** Unfenced, bounded. */
  readonly encode: EncodeRequest;
  readonly control: SpeechTokenizerControl;
}

export type RecordedStep =
  | {
      readonly type: 'step';
      readonly generationId: string;
      readonly index: number;
      readonly codes: readonly [number, number, number, number];
    }
  /** The generation ended; the last step yields no frame. */
  | { readonly type: 'end'; readonly generationId: string };

/** 16 kHz mono; longer than 30 s is encoded in pieces of whole code frames. At most 120 s. */
export interface EncodeRequest {
  readonly requestId: string;
  readonly samples: Float32Array;
}

type SpeechTokenizerControl = { readonly type: 'close' };

export type SpeechTokenizerOutput =
  /** One code frame, complete when the step after `step` is known. */
  | {
      readonly type: 'frame';
      readonly generationId: string;
      /** The step of the semantic code: the text that this sound belongs to. */
      readonly step: number;
      /** [4] codebook values without the id offset. */
      readonly codes: readonly number[];
    }
  | { readonly type: 'end'; readonly generationId: string; readonly frames: number }
  | {
      readonly type: 'encoded';
      readonly requestId: string;
      /** [frames × 4] codebook values without the id offset. */
      readonly codes: Int32Array;
      readonly frames: number;
    }
  | { readonly type: 'failed'; readonly requestId: string; readonly code: string; readonly message: string };
