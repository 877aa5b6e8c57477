/** The baseline: our detector and segmenter with fixed thresholds, as LongCat's report endpoints. No model. */
import { createBandEnergyDetector, Segmenter } from '../../actors/perceive/index.ts';
import { DEFAULT_TURN_DETECTION, TURN_DELAYS } from '../../actors/turn-taking/index.ts';
import { type Endpoint, endpointOfEnds } from './end-of-turn.ts';
import { FRAME, RATE, type Spoken } from './material.ts';

/** The turn at each threshold; the detector listens once. */
export function silenceAlone(turn: Spoken, thresholdsMs: readonly number[]): Endpoint[] {
  const detector = createBandEnergyDetector(RATE);
  const probabilities: number[] = [];
  for (let at = 0; at + FRAME <= turn.samples.length; at += FRAME)
    probabilities.push(detector.frame(turn.samples.subarray(at, at + FRAME)));
  return thresholdsMs.map(endpointSilenceMs => {
    const segmenter = new Segmenter({
      threshold: DEFAULT_TURN_DETECTION.mode === 'vad' ? DEFAULT_TURN_DETECTION.threshold : 0.5,
      endpointSilenceMs,
      speculateSilenceMs: Number.POSITIVE_INFINITY,
      confirmSpeechMs: TURN_DELAYS.turn.speechMs,
      onsetWindowMs: TURN_DELAYS.turn.windowMs,
    });
    const edges = probabilities.flatMap(probability => segmenter.push(probability));
    const ends = edges.filter(({ type }) => type === 'silence.endpoint').map(({ atFrame }) => atFrame * 20);
    return endpointOfEnds(turn, ends, null, 0);
  });
}
