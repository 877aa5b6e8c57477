/** Filter-bank settings (docs/spec/model.md §3.1). */
export interface FbankOptions {
  readonly sampleRateHz: number;
  readonly frameLengthMs: number;
  readonly frameShiftMs: number;
  readonly preEmphasis: number;
  readonly lowFrequencyHz: number;
  /** Zero or a negative value counts from the Nyquist frequency. */
  readonly highFrequencyHz: number;
  readonly bins: number;
  /**
   * Factor from [−1, 1] to the integer range the statistics were taken in: 32768 (docs/spec/model.md §3.1) or 32767
   * (docs/spec/model.md §4.2).
   */
  readonly scale: number;
}

export const FBANK_DEFAULTS: FbankOptions = {
  sampleRateHz: 16000,
  frameLengthMs: 25,
  frameShiftMs: 10,
  preEmphasis: 0.97,
  lowFrequencyHz: 40,
  highFrequencyHz: -200,
  bins: 80,
  scale: 32768,
};

/** Log mel energies of overlapping frames. */
export interface Fbank {
  readonly bins: number;
  /** Samples of one frame (400) and between frame starts (160). */
  readonly frameLength: number;
  readonly frameShift: number;
  /** Frames that lie fully inside `samples` samples. */
  frameCount(samples: number): number;
  /** [frameCount × bins] of mono samples in [−1, 1]. A frame's values depend on its own samples only. */
  apply(samples: Float32Array, out?: Float32Array): Float32Array;
}

export type PrepareFbank = (options: FbankOptions) => Fbank;
