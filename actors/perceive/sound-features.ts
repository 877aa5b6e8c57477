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
import type { RealFft } from '../../kernels/fft/index.ts';
import { NoiseFloor } from './noise-floor.ts';

export const BANDS = 12;
const LOWEST_HZ = 150;
const HIGHEST_HZ = 3700;
/** Of a band in a loud room: white noise of −40 dBFS. */
const LOUD_BAND_DB = -23;
/**
 * Two tones of a machine hold so much of the power, each within so many bins; a voice's strongest harmonics lie lower,
 * or are many.
 */
const TONES_SHARE = 0.95;
const TONE_BINS = 2;
const LOWEST_TONE_HZ = 420;
const PITCH_HZ = 4000;
const PITCH_WINDOW = 160;
const SHORTEST_LAG = 10;
const LONGEST_LAG = 60;
/** Of the lags between these, in whole fours. */
const LAGS = 4 * Math.ceil((LONGEST_LAG - SHORTEST_LAG + 1) / 4);
/** Where a telephone has nothing. */
const ABOVE_HZ = [4300, 7500] as const;
/**
 * Per band its shape and its signal-to-noise; then level over the floor, harmonicity, pitch, and two kinds of movement.
 */
export const FEATURES = 2 * BANDS + 5;

export class SoundFeatures {
  readonly #sampleRate: number;
  readonly #fft: RealFft;
  readonly #edges: number[];
  readonly #above: number[];
  readonly #history: Float64Array;
  readonly #windowed: Float64Array;
  readonly #hann: Float64Array;
  readonly #pitch = new Float64Array(PITCH_WINDOW + SHORTEST_LAG + LAGS);
  readonly #correlations = new Float64Array(LAGS);
  readonly #decimated: Float64Array;
  readonly #power: Float64Array;
  /** Of the last frame per band, and the floor under them, dB. */
  readonly energies = new Float64Array(BANDS);
  floor: Float64Array = new Float64Array(BANDS);
  readonly #binHz: number;
  readonly #lowestBin: number;
  readonly #before = new Float64Array(BANDS).fill(LOUD_BAND_DB);
  readonly #floor = new NoiseFloor(BANDS, LOUD_BAND_DB);
  readonly #features = new Float64Array(FEATURES);
  #lag = 0;
  /** How much of a pitch the last frame had, 0–1. */
  harmonicity = 0;
  /** Power of the last frame where a telephone has some, and where it has none; above is 0 at 8 kHz. */
  readonly power = { below: 0, above: 0 };

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
    this.#sampleRate = sampleRate;
    const size = (sampleRate * 32) / 1000;
    // Every kind of engine gives the same bits (the parity tests say so), so that what is heard does not depend on the
    // machine.
    this.#fft = opsOf('auto').fft(size);
    this.#history = new Float64Array(size);
    this.#windowed = new Float64Array(size);
    this.#hann = Float64Array.from(
      { length: size },
      (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * (i + 0.5)) / size),
    );
    this.#power = new Float64Array(size / 2 + 1);
    this.#decimated = new Float64Array((20 * PITCH_HZ) / 1000);
    const binOf = (hz: number) => Math.min(size / 2, Math.round((hz * size) / sampleRate));
    this.#edges = bandEdges().map(binOf);
    this.#above = ABOVE_HZ.map(binOf);
    this.#binHz = sampleRate / size;
    this.#lowestBin = binOf(LOWEST_HZ);
  }

  /** 20 ms of the room → `FEATURES` numbers, until the next call. Leaves no garbage: it runs 50 times a second. */
  frame(samples: Float32Array): Float64Array {
    push(this.#history, samples);
    push(this.#pitch, decimate(samples, this.#sampleRate / PITCH_HZ, this.#decimated));
    for (let i = 0; i < this.#windowed.length; i++) this.#windowed[i] = this.#history[i] * this.#hann[i];
    this.#measureBands(this.#fft.powerSpectrum(this.#windowed, this.#power));
    const { energies } = this;
    const floor = this.#floor.update(energies);
    this.floor = floor;
    this.#measurePitch();
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
    features[2 * BANDS + 2] = this.#lag / LONGEST_LAG;
    features[2 * BANDS + 3] = clamp(flux / 10, 0, 3);
    features[2 * BANDS + 4] = clamp(rise / 10, -3, 3);
    return features;
  }

  /** Whether the last frame was a tone of a machine, or two: a digit, a beep, a fax, a ringing line. */
  get isTones(): boolean {
    const power = this.#power;
    const end = power.length;
    let total = 0;
    for (let bin = this.#lowestBin; bin < end; bin++) total += power[bin];
    const first = this.#strongest(-1);
    const second = this.#strongest(first);
    if (Math.min(first, second) * this.#binHz < LOWEST_TONE_HZ) {
      // One tone alone has no second peak; what is there is its own skirt or noise.
      return first * this.#binHz >= LOWEST_TONE_HZ && this.#around(first) >= TONES_SHARE * total;
    }
    return this.#around(first) + this.#around(second) >= TONES_SHARE * total;
  }

  /** Of the bins that are not around another one. */
  #strongest(other: number): number {
    let best = this.#lowestBin;
    let most = -1;
    for (let bin = this.#lowestBin; bin < this.#power.length; bin++) {
      if (this.#power[bin] <= most || Math.abs(bin - other) <= 2 * TONE_BINS) continue;
      most = this.#power[bin];
      best = bin;
    }
    return best;
  }

  #around(peak: number): number {
    let sum = 0;
    const end = Math.min(this.#power.length - 1, peak + TONE_BINS);
    for (let bin = Math.max(this.#lowestBin, peak - TONE_BINS); bin <= end; bin++) sum += this.#power[bin];
    return sum;
  }

  #measureBands(power: Float64Array): void {
    let below = 0;
    for (let band = 0; band < BANDS; band++) {
      let sum = 0;
      for (let bin = this.#edges[band]; bin < this.#edges[band + 1]; bin++) sum += power[bin];
      const bins = this.#edges[band + 1] - this.#edges[band];
      // The same sound has four times the bin power at twice the rate.
      this.energies[band] = 10 * Math.log10((sum / bins) * (8000 / this.#sampleRate) ** 2 + 1e-9);
      below += sum;
    }
    let above = 0;
    for (let bin = this.#above[0]; bin < this.#above[1]; bin++) above += power[bin];
    this.power.below = below;
    this.power.above = above;
  }

  /** Highest normalised autocorrelation at a pitch of 67–400 Hz, 0–1, and where it is. */
  #measurePitch(): void {
    const wave = this.#pitch;
    const start = wave.length - PITCH_WINDOW;
    const energy = dot(wave, start, start, PITCH_WINDOW);
    this.harmonicity = 0;
    this.#lag = 0;
    if (energy < 1e-9) return;
    let shifted = dot(wave, start - SHORTEST_LAG, start - SHORTEST_LAG, PITCH_WINDOW);
    this.#correlate(start);
    for (let lag = SHORTEST_LAG; lag <= LONGEST_LAG; lag++) {
      const correlation = this.#correlations[lag - SHORTEST_LAG];
      const normalised = correlation > 0 ? correlation / Math.sqrt(energy * Math.max(shifted, 0) + 1e-12) : 0;
      if (normalised > this.harmonicity) {
        this.harmonicity = normalised;
        this.#lag = lag;
      }
      // The window slides back by one sample.
      const entering = wave[start - lag - 1];
      const leaving = wave[start - lag - 1 + PITCH_WINDOW];
      shifted += entering * entering - leaving * leaving;
    }
  }

  /** Four lags at a time: each keeps its own order of adding, and none waits for another's sum. */
  #correlate(start: number): void {
    const wave = this.#pitch;
    for (let at = 0; at < LAGS; at += 4) {
      const shift = start - SHORTEST_LAG - at;
      let [a, b, c, d] = [0, 0, 0, 0];
      for (let i = 0; i < PITCH_WINDOW; i++) {
        const value = wave[start + i];
        a += value * wave[shift + i];
        b += value * wave[shift + i - 1];
        c += value * wave[shift + i - 2];
        d += value * wave[shift + i - 3];
      }
      this.#correlations[at] = a;
      this.#correlations[at + 1] = b;
      this.#correlations[at + 2] = c;
      this.#correlations[at + 3] = d;
    }
  }
}

/** Equal steps on the mel scale. */
function bandEdges(): number[] {
  const mel = (hz: number) => 1127 * Math.log(1 + hz / 700);
  const hz = (value: number) => 700 * (Math.exp(value / 1127) - 1);
  const step = (mel(HIGHEST_HZ) - mel(LOWEST_HZ)) / BANDS;
  return Array.from({ length: BANDS + 1 }, (_, i) => hz(mel(LOWEST_HZ) + i * step));
}

function push(history: Float64Array, samples: ArrayLike<number>): void {
  history.copyWithin(0, samples.length);
  history.set(samples, history.length - samples.length);
}

/** Means of `factor` samples: low pass and decimation in one. */
function decimate(samples: Float32Array, factor: number, out: Float64Array): Float64Array {
  for (let i = 0; i < out.length; i++) {
    let sum = 0;
    for (let j = 0; j < factor; j++) sum += samples[i * factor + j];
    out[i] = sum / factor;
  }
  return out;
}

function dot(wave: Float64Array, a: number, b: number, length: number): number {
  let sum = 0;
  for (let i = 0; i < length; i++) sum += wave[a + i] * wave[b + i];
  return sum;
}

const clamp = (value: number, low: number, high: number) => Math.min(high, Math.max(low, value));

function average(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum / values.length;
}
