/**
 * Turn-taking policies as data. What they leave open is the operator's setting. `doneBelow` and `goesOnAbove` are where nano's
 * P(the user goes on) lies, fitted on seed 12 of `npm run bench -- turn-taking`: it seldom says more than a few hundredths.
 */
import type { EndpointFromMeaning } from './endpoint.ts';

export type PresetName = 'fast' | 'balanced' | 'patient' | 'telephone';

export interface TurnPreset {
  readonly threshold: number;
  /** t4 − t2 where the model cannot tell, or has not yet. */
  readonly endpointSilenceMs: number;
  /** t3 − t2. */
  readonly speculateSilenceMs: number;
  readonly meaning: EndpointFromMeaning;
}

export const TURN_PRESETS: Readonly<Record<PresetName, TurnPreset>> = {
  /** Answers at once where the sentence is over; for short questions. */
  fast: {
    threshold: 0.5,
    endpointSilenceMs: 400,
    speculateSilenceMs: 160,
    meaning: { floorMs: 240, ceilingMs: 1200, doneBelow: 0.002, goesOnAbove: 0.1, judgeAgainMs: 120 },
  },
  /** For most conversations. */
  balanced: {
    threshold: 0.5,
    endpointSilenceMs: 650,
    speculateSilenceMs: 200,
    meaning: { floorMs: 400, ceilingMs: 1600, doneBelow: 0.002, goesOnAbove: 0.5, judgeAgainMs: 120 },
  },
  /** Lets people think; for dictation, learners, hesitant speakers. */
  patient: {
    threshold: 0.5,
    endpointSilenceMs: 1200,
    speculateSilenceMs: 300,
    meaning: { floorMs: 500, ceilingMs: 2400, doneBelow: 0.002, goesOnAbove: 0.02, judgeAgainMs: 120 },
  },
  /** 8 kHz, echo, packet loss: asks for clearer speech and waits a little longer. */
  telephone: {
    threshold: 0.6,
    endpointSilenceMs: 700,
    speculateSilenceMs: 240,
    meaning: { floorMs: 440, ceilingMs: 1600, doneBelow: 0.002, goesOnAbove: 0.5, judgeAgainMs: 120 },
  },
};
