/**
 * Turn-taking policies as data. What they leave open is the operator's setting. What `meaning` says is where nano's
 * P(the user goes on) lies; `npm run bench -- turn-taking-fit --write` puts it there when the weights have changed.
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
    meaning: { floorMs: 240, ceilingMs: 2600, doneBelow: 0.001, goesOnAbove: 0.4, judgeAgainMs: 160 },
  },
  /** For most conversations. */
  balanced: {
    threshold: 0.5,
    endpointSilenceMs: 650,
    speculateSilenceMs: 160,
    meaning: { floorMs: 260, ceilingMs: 2600, doneBelow: 0.0003, goesOnAbove: 0.4, judgeAgainMs: 160 },
  },
  /** Lets people think; for dictation, learners, hesitant speakers. */
  patient: {
    threshold: 0.5,
    endpointSilenceMs: 1200,
    speculateSilenceMs: 320,
    meaning: { floorMs: 360, ceilingMs: 2600, doneBelow: 0.0003, goesOnAbove: 0.4, judgeAgainMs: 160 },
  },
  /** 8 kHz, echo, packet loss: asks for clearer speech and waits a little longer. */
  telephone: {
    threshold: 0.6,
    endpointSilenceMs: 700,
    speculateSilenceMs: 240,
    meaning: { floorMs: 500, ceilingMs: 2600, doneBelow: 0.003, goesOnAbove: 0.2, judgeAgainMs: 160 },
  },
};
