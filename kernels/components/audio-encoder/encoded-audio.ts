export interface AudioEncoderStreamOptions {
  /**
   * `exact` (default): vectors come once their look-ahead exists, bit-equal however the samples are cut.
   * `eager`: every push gives all its vectors at once; at its end the look-ahead layers see zeros.
   */
  readonly mode?: 'exact' | 'eager';
  /** Sees every intermediate result: `fbank` (before normalisation), `spliced`, `encoder`, `projector`. */
  readonly tap?: (name: string, rows: Float32Array, width: number) => void;
}

/** An utterance, wherever its state is. */
export interface UtteranceStream {
  /** An independent copy of the state. */
  fork(): UtteranceStream;
  /** Gives back what a device holds of it. */
  close?(): void;
}

/** One utterance. */
export interface AudioEncoderStream extends UtteranceStream {
  /** 16 kHz mono samples in [−1, 1], any number; gives what became complete. */
  push(samples: Float32Array): EncodedAudio;
  /** The rest of the utterance; the stream accepts no more. */
  finish(): EncodedAudio;
  /** An independent copy of the state. */
  fork(): AudioEncoderStream;
}

export interface EncodedVectors {
  readonly count: number;
  /** [count × projectedWidth] */
  readonly vectors: Float32Array;
}

export interface EncodedAudio extends EncodedVectors {
  /** [count × encoderWidth]: what the projector and the CTC head read. */
  readonly encoder: Float32Array;
}

/** The next samples of a stream, and whether they are its last. No stream stands in two works of one call. */
export interface EncoderWork<S = AudioEncoderStream> {
  readonly stream: S;
  readonly samples: Float32Array;
  readonly end: boolean;
}

export interface EncodedTogether {
  /** In the order of the works. */
  readonly each: readonly EncodedAudio[];
  /**
   * What the CTC head says of all vectors [count × captionEntries].
   * @throws RuntimeError `audio-encoder.no-captions`
   */
  logits(): Float32Array;
  /** The encoder vectors of all works, one after the other. */
  readonly encoder: Float32Array;
  readonly count: number;
}
