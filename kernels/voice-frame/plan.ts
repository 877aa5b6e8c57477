import { BANDS } from './index.ts';

const LOWEST_HZ = 150;
const HIGHEST_HZ = 3700;
/** Where a telephone has nothing. */
const ABOVE_HZ = [4300, 7500] as const;
const LOWEST_TONE_HZ = 420;
const PITCH_HZ = 4000;
export const PITCH_WINDOW = 160;
export const SHORTEST_LAG = 10;
export const LONGEST_LAG = 60;
/** Of the lags between these, in whole fours. */
export const LAGS = 4 * Math.ceil((LONGEST_LAG - SHORTEST_LAG + 1) / 4);
/** What is kept at 4 kHz. */
export const PITCH_SAMPLES = PITCH_WINDOW + SHORTEST_LAG + LAGS;
const FRAME_MS = 20;
const WINDOW_MS = 32;

/** What a sample rate makes of it. */
export interface VoiceFramePlan {
  /** Of the transform, and of what is kept at the full rate. */
  readonly size: number;
  readonly frame: number;
  /** Samples for one of 4 kHz. */
  readonly factor: number;
  readonly window: Float64Array;
  /** Bins: where each band begins, and where the last ends; then those above a telephone's. */
  readonly edges: Int32Array;
  readonly lowestBin: number;
  readonly lowestToneBin: number;
}

export function planVoiceFrame(sampleRate: number): VoiceFramePlan {
  const size = (sampleRate * WINDOW_MS) / 1000;
  const binOf = (hz: number) => Math.min(size / 2, Math.round((hz * size) / sampleRate));
  return {
    size,
    frame: (sampleRate * FRAME_MS) / 1000,
    factor: sampleRate / PITCH_HZ,
    window: Float64Array.from(
      { length: size },
      (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * (i + 0.5)) / size),
    ),
    edges: Int32Array.from([...bandEdges(), ...ABOVE_HZ].map(binOf)),
    lowestBin: binOf(LOWEST_HZ),
    lowestToneBin: Math.ceil((LOWEST_TONE_HZ * size) / sampleRate),
  };
}

export const widthsOf = ({ edges }: VoiceFramePlan): number[] =>
  Array.from({ length: BANDS }, (_, band) => edges[band + 1] - edges[band]);

/** Equal steps on the mel scale. */
function bandEdges(): number[] {
  const mel = (hz: number) => 1127 * Math.log(1 + hz / 700);
  const hz = (value: number) => 700 * (Math.exp(value / 1127) - 1);
  const step = (mel(HIGHEST_HZ) - mel(LOWEST_HZ)) / BANDS;
  return Array.from({ length: BANDS + 1 }, (_, i) => hz(mel(LOWEST_HZ) + i * step));
}
