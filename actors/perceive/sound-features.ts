/**
 * What a 20 ms frame sounds like, in numbers that do not depend on the microphone's level. Looks below 4 kHz only, so
 * telephone speech and 16 kHz speech look alike, whatever the rate of the stream.
 *
 *   frame ─► 12 band energies ─► shape of the spectrum, movement since the last frame ─┐
 *        │        └─► adaptive noise floor per band ─► signal-to-noise per band ───────┼─► features
 *        └─► down to 4 kHz ─► autocorrelation ─► harmonicity and pitch ────────────────┘
 */
import { opsOf } from '../../kernels/engine/index.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import { BANDS, MEASURE, type VoiceFrame } from '../../kernels/voice-frame/index.ts';
import { NoiseFloor } from './noise-floor.ts';

export { BANDS };
/** Of a band in a loud room: white noise of −40 dBFS. */
const LOUD_BAND_DB = -23;
const LONGEST_LAG = 60;
/**
 * Per band its shape and its signal-to-noise; then level over the floor, harmonicity, pitch, and two kinds of movement.
 */
export const FEATURES = 2 * BANDS + 5;

export class SoundFeatures {
  readonly #voice: VoiceFrame;
  /** The same sound has four times the bin power at twice the rate. */
  readonly #scale: number;
  /** Of the last frame per band, and the floor under them, dB. */
  readonly energies = new Float64Array(BANDS);
  floor: Float64Array = new Float64Array(BANDS);
  readonly #before = new Float64Array(BANDS).fill(LOUD_BAND_DB);
  readonly #floor = new NoiseFloor(BANDS, LOUD_BAND_DB);
  readonly #features = new Float64Array(FEATURES);
  #measures: Float64Array = new Float64Array(0);
  #samples = 0;

  /** Error `vad.sample-rate` unless 8000 or 16000. */
  constructor(sampleRate: number) {
    if (sampleRate !== 8000 && sampleRate !== 16000) {
      throw new RuntimeError(
        'vad.sample-rate',
        'The voice activity detector hears 8 or 16 kHz.',
        { sampleRate },
        'Resample the audio.',
      );
    }
    // Every kind of engine gives the same bits (the parity tests say so), so that what is heard does not depend on the
    // machine.
    this.#voice = opsOf('auto').voiceFrame(sampleRate);
    this.#scale = (8000 / sampleRate) ** 2;
  }

  /** 20 ms of the room → `FEATURES` numbers, until the next call. Leaves no garbage: it runs 50 times a second. */
  frame(samples: Float32Array): Float64Array {
    const measures = this.#voice.measure(samples);
    this.#samples = samples.length;
    this.#measures = measures;
    const { energies } = this;
    const { widths } = this.#voice;
    for (let band = 0; band < BANDS; band++)
      energies[band] = 10 * Math.log10((measures[band] / widths[band]) * this.#scale + 1e-9);
    const floor = this.#floor.update(energies);
    this.floor = floor;
    const features = this.#features;
    const mean = average(energies);
    let [floorMean, flux, rise] = [0, 0, 0];
    for (let band = 0; band < BANDS; band++) {
      const moved = energies[band] - this.#before[band];
      features[band] = clamp((energies[band] - mean) / 20, -2, 2);
      features[BANDS + band] = clamp((energies[band] - floor[band]) / 15, 0, 3);
      floorMean += floor[band] / BANDS;
      flux += Math.abs(moved) / BANDS;
      rise += moved / BANDS;
      this.#before[band] = energies[band];
    }
    features[2 * BANDS] = clamp((mean - floorMean) / 15, -1, 3);
    features[2 * BANDS + 1] = this.harmonicity;
    features[2 * BANDS + 2] = measures[MEASURE.lag] / LONGEST_LAG;
    features[2 * BANDS + 3] = clamp(flux / 10, 0, 3);
    features[2 * BANDS + 4] = clamp(rise / 10, -3, 3);
    return features;
  }

  /** How much of a pitch the last frame had, 0–1. */
  get harmonicity(): number {
    return this.#measures[MEASURE.harmonicity];
  }

  /** Power of the last frame where a telephone has some, and where it has none; above is 0 at 8 kHz. */
  get below(): number {
    return this.#measures[MEASURE.below];
  }

  get above(): number {
    return this.#measures[MEASURE.above];
  }

  /** Whether the last frame was a tone of a machine, or two: a digit, a beep, a fax, a ringing line. */
  get isTones(): boolean {
    return this.#measures[MEASURE.tones] === 1;
  }

  /** Mean square of the last frame. */
  get meanSquare(): number {
    return this.#measures[MEASURE.energy] / this.#samples;
  }
}

const clamp = (value: number, low: number, high: number) => Math.min(high, Math.max(low, value));

function average(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum / values.length;
}
