/**
 * What twenty milliseconds of a voice are made of, before anything is judged: power by bands below 4 kHz, whether it is
 * a machine's tones, and how periodic it is at a pitch of 67–400 Hz. In double, every sum in one order, so that each
 * engine gives the same bits.
 */
export const BANDS = 12;

/** Where each number stands among the measures of a frame; the powers of the bands stand first. */
export const MEASURE = {
  /** Power where a telephone has some, and where it has none; above is 0 at 8 kHz. */
  below: BANDS,
  above: BANDS + 1,
  /** 1: a tone of a machine, or two; else 0. */
  tones: BANDS + 2,
  /** Highest normalised autocorrelation, 0–1, and at how many samples of 4 kHz; 0: none. */
  harmonicity: BANDS + 3,
  lag: BANDS + 4,
  /** Sum of the squares of the frame's samples. */
  energy: BANDS + 5,
} as const;
export const MEASURES = BANDS + 6;

export interface VoiceFrame {
  /** Bins of each band. */
  readonly widths: readonly number[];
  /** The next 20 ms, which follow those before → `MEASURES` numbers, until the next call. */
  measure(samples: Float32Array): Float64Array;
}

/** Of 8 or 16 kHz. */
export type PrepareVoiceFrame = (sampleRate: number) => VoiceFrame;
