/**
 * Our own small voice activity detector; no weights beyond the eight numbers below, which were fitted by logistic
 * regression on synthetic speech in white, pink and babble noise. Looks below 4 kHz only, so telephone speech and 16 kHz
 * speech look alike, whatever the rate of the stream.
 *
 *   frame ─► 12 band energies ─► adaptive noise floor per band ─► signal-to-noise, spread over the bands ─┐
 *        └─► down to 4 kHz ─► autocorrelation ─► harmonicity ─────────────────────────────────────────────┼─► probability
 *        └─► level ─► movement over 400 ms (speech rises and falls with its syllables) ───────────────────┘
 */

import { opsOf } from '../../kernels/engine/index.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import type { RealFft } from '../../kernels/fft/index.ts';
import type { VoiceActivityDetector } from './voice-activity-detector.ts';

const BANDS = 12;
const LOWEST_HZ = 150;
const HIGHEST_HZ = 3700;
/** Quieter than this is silence whatever its shape. */
const SILENCE_DB = -62;
/** The noise floor is the least energy of the last 1.6 s, in eight parts. */
const FLOOR_PARTS = 8;
const FLOOR_PART_FRAMES = 10;
/** The minimum lies below the mean of the noise. */
const FLOOR_BIAS_DB = 4;
const LEVEL_FRAMES = 20;
const PITCH_HZ = 4000;
const PITCH_WINDOW = 160;
const SHORTEST_LAG = 10;
const LONGEST_LAG = 60;

/** Fitted; in the order of `features`, then the constant. */
const WEIGHTS = [0.909, 0.122, 2.063, -0.071, 7.573, -4.613, 1.266, -2.498];

export function createBandEnergyDetector(sampleRate: number): VoiceActivityDetector {
  return new BandEnergyDetector(sampleRate);
}

class BandEnergyDetector implements VoiceActivityDetector {
  readonly #sampleRate: number;
  readonly #fft: RealFft;
  readonly #edges: number[];
  readonly #history: Float64Array;
  readonly #windowed: Float64Array;
  readonly #hann: Float64Array;
  readonly #pitch = new Float64Array(PITCH_WINDOW + LONGEST_LAG);
  readonly #floor = new NoiseFloor();
  readonly #levels: number[] = [];
  readonly #decimated: Float64Array;
  readonly #power: Float64Array;
  readonly #energies = new Float64Array(BANDS);
  readonly #snr = new Float64Array(BANDS);
  readonly #features = new Float64Array(7);
  #probability = 0;
  voicing = 0;

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
    // Every kind of engine gives the same bits (the parity tests say so), so that what is heard does not depend on the machine.
    this.#fft = opsOf('auto').fft(size);
    this.#history = new Float64Array(size);
    this.#windowed = new Float64Array(size);
    this.#hann = Float64Array.from(
      { length: size },
      (_, i) => 0.5 - 0.5 * Math.cos((2 * Math.PI * (i + 0.5)) / size),
    );
    this.#power = new Float64Array(size / 2 + 1);
    this.#decimated = new Float64Array((20 * PITCH_HZ) / 1000);
    this.#edges = bandEdges().map(hz => Math.round((hz * size) / sampleRate));
  }

  frame(samples: Float32Array): number {
    const features = this.features(samples);
    if (features === null) {
      this.voicing = 0;
      this.#probability *= 0.5;
      return this.#probability;
    }
    let score = WEIGHTS[WEIGHTS.length - 1];
    for (let i = 0; i < features.length; i++) score += WEIGHTS[i] * features[i];
    this.#probability = 1 / (1 + Math.exp(-score));
    this.voicing = features[2];
    return this.#probability;
  }

  /** What the probability is computed from, until the next call; null for silence. Leaves no garbage: it runs 50 times a second. */
  features(samples: Float32Array): Float64Array | null {
    push(this.#history, samples);
    push(this.#pitch, decimate(samples, this.#sampleRate / PITCH_HZ, this.#decimated));
    for (let i = 0; i < this.#windowed.length; i++) this.#windowed[i] = this.#history[i] * this.#hann[i];
    this.#measureBands(this.#fft.powerSpectrum(this.#windowed, this.#power));
    const energies = this.#energies;
    const level = rmsDb(samples);
    const floor = this.#floor.update(energies);
    this.#levels.push(level);
    if (this.#levels.length > LEVEL_FRAMES) this.#levels.shift();
    if (level < SILENCE_DB) return null;
    const snr = this.#snr;
    let linear = 0;
    let spread = 0;
    for (let band = 0; band < BANDS; band++) {
      snr[band] = clamp((energies[band] - floor[band]) / 10, 0, 3);
      linear += 10 ** (energies[band] / 10);
      if (snr[band] > 0.5) spread += 1;
    }
    const mean = average(snr);
    snr.sort();
    const top = (snr[BANDS - 1] + snr[BANDS - 2] + snr[BANDS - 3] + snr[BANDS - 4]) / 4;
    const harmonicity = this.#harmonicity();
    const features = this.#features;
    features[0] = mean;
    features[1] = top;
    features[2] = harmonicity;
    features[3] = (average(energies) - 10 * Math.log10(linear / BANDS)) / 10;
    features[4] = (deviation(this.#levels) / 10) * Math.min(mean, 1);
    features[5] = spread / BANDS;
    features[6] = harmonicity * Math.min(top, 2);
    return features;
  }

  #measureBands(power: Float64Array): void {
    for (let band = 0; band < BANDS; band++) {
      let sum = 0;
      for (let bin = this.#edges[band]; bin < this.#edges[band + 1]; bin++) sum += power[bin];
      const bins = this.#edges[band + 1] - this.#edges[band];
      // The same sound has four times the bin power at twice the rate.
      this.#energies[band] = 10 * Math.log10((sum / bins) * (8000 / this.#sampleRate) ** 2 + 1e-9);
    }
  }

  /** Highest normalised autocorrelation at a pitch of 67–400 Hz, 0–1. */
  #harmonicity(): number {
    const wave = this.#pitch;
    const end = wave.length;
    const start = end - PITCH_WINDOW;
    const energy = dot(wave, start, start, PITCH_WINDOW);
    if (energy < 1e-9) return 0;
    let best = 0;
    let shifted = dot(wave, start - SHORTEST_LAG, start - SHORTEST_LAG, PITCH_WINDOW);
    for (let lag = SHORTEST_LAG; lag <= LONGEST_LAG; lag++) {
      const correlation = dot(wave, start, start - lag, PITCH_WINDOW);
      if (correlation > 0)
        best = Math.max(best, correlation / Math.sqrt(energy * Math.max(shifted, 0) + 1e-12));
      // The window slides back by one sample.
      const [entering, leaving] = [wave[start - lag - 1], wave[start - lag - 1 + PITCH_WINDOW]];
      shifted += entering * entering - leaving * leaving;
    }
    return best;
  }
}

/** Least smoothed energy per band over the last parts. */
class NoiseFloor {
  readonly #smoothed = new Float64Array(BANDS);
  readonly #floor = new Float64Array(BANDS);
  readonly #parts: Float64Array[] = [];
  #frames = 0;

  /** The floor per band, until the next call. */
  update(energies: Float64Array): Float64Array {
    const rate = this.#frames === 0 ? 1 : 0.3;
    for (let band = 0; band < BANDS; band++)
      this.#smoothed[band] += rate * (energies[band] - this.#smoothed[band]);
    if (this.#frames % FLOOR_PART_FRAMES === 0) this.#begin();
    const part = this.#parts[this.#parts.length - 1];
    for (let band = 0; band < BANDS; band++) {
      part[band] = Math.min(part[band], this.#smoothed[band]);
      let least = Number.POSITIVE_INFINITY;
      for (const values of this.#parts) least = Math.min(least, values[band]);
      this.#floor[band] = least + FLOOR_BIAS_DB;
    }
    this.#frames += 1;
    return this.#floor;
  }

  #begin(): void {
    const part = this.#parts.length < FLOOR_PARTS ? new Float64Array(BANDS) : this.#parts.shift()!;
    part.set(this.#smoothed);
    this.#parts.push(part);
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

function rmsDb(samples: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < samples.length; i++) sum += samples[i] * samples[i];
  return 10 * Math.log10(sum / samples.length + 1e-12);
}

const clamp = (value: number, low: number, high: number) => Math.min(high, Math.max(low, value));

function average(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum / values.length;
}

function deviation(values: readonly number[]): number {
  const mean = average(values);
  let squares = 0;
  for (let i = 0; i < values.length; i++) squares += (values[i] - mean) ** 2;
  return Math.sqrt(squares / values.length);
}
