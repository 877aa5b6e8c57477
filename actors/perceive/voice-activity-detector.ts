/** Tells speech from other sound, 20 ms at a time. One detector per audio stream; it keeps its own noise estimate. */
export interface VoiceActivityDetector {
  /** 20 ms of mono in [−1, 1], whose array is used again → probability that somebody speaks, 0–1. */
  frame(samples: Float32Array): number;
  /**
   * How much of a pitch the last frame had, 0–1: a voice has one, a cough or a door has none. Absent where it is not
   * known.
   */
  readonly voicing?: number;
  /**
   * How much like a voice the sound is that the last frame is part of, 0–1, slower and surer than the probability.
   * Absent where it is not known.
   */
  readonly likeness?: number;
  /** Whether the line is a telephone, by all that was heard of it. Absent where it is not known. */
  readonly telephone?: boolean;
}

export type VoiceActivityDetectorFactory = (sampleRate: number) => VoiceActivityDetector;
