export interface AudioEncoderStreamOptions {
  /**
   * `exact` (default): vectors come once their look-ahead exists, bit-equal however the samples are cut.
   * `eager`: every push gives all its vectors at once; at its end the look-ahead layers see zeros.
   */
  readonly mode?: 'exact' | 'eager';
  /** Sees every intermediate result: `fbank` (before normalisation), `spliced`, `encoder`, `projector`. */
  readonly tap?: (name: string, rows: Float32Array, width: number) => void;
}

/** One utterance. */
export interface AudioEncoderStream {
  /** 16 kHz mono samples in [−1, 1], any number; gives what became complete. */
  push(samples: Float32Array): EncodedAudio;
  /** The rest of the utterance; the stream accepts no more. */
  finish(): EncodedAudio;
  /** An independent copy of the state. */
  fork(): AudioEncoderStream;
}

export interface EncodedAudio {
  readonly count: number;
  /** [count × projectedWidth] */
  readonly vectors: Float32Array;
  /** [count × encoderWidth]: what the projector and the CTC head read. */
  readonly encoder: Float32Array;
}

/** The next samples of a stream, and whether they are its last. No stream stands in two works of one call. */
export interface EncoderWork {
  readonly stream: AudioEncoderStream;
  readonly samples: Float32Array;
  readonly end: boolean;
}

export interface EncodedTogether {
  /** In the order of the works. */
  readonly each: readonly EncodedAudio[];
  /** The encoder vectors of all works, one after the other. */
  readonly encoder: Float32Array;
  readonly count: number;
}
