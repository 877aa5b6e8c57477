/** Tells speech from other sound, 20 ms at a time. One detector per audio stream; it keeps its own noise estimate. */
export interface VoiceActivityDetector {
  /** 20 ms of mono in [−1, 1] → probability that somebody speaks, 0–1. */
  frame(samples: Float32Array): number;
}

export type VoiceActivityDetectorFactory = (sampleRate: number) => VoiceActivityDetector;
