import { prepareFft } from '../fft/reference.ts';
import type { RealFft } from '../fft/index.ts';
import { BANDS, MEASURE, MEASURES, type PrepareVoiceFrame, type VoiceFrame } from './index.ts';
import {
  LAGS,
  LONGEST_LAG,
  PITCH_SAMPLES,
  PITCH_WINDOW,
  planVoiceFrame,
  SHORTEST_LAG,
  type VoiceFramePlan,
  widthsOf,
} from './plan.ts';

/**
 * Two tones of a machine hold so much of the power, each within so many bins; a voice's strongest harmonics lie lower,
 * or are many.
 */
const TONES_SHARE = 0.95;
const TONE_BINS = 2;

export const prepareVoiceFrame: PrepareVoiceFrame = sampleRate =>
  new ReferenceVoiceFrame(planVoiceFrame(sampleRate));

class ReferenceVoiceFrame implements VoiceFrame {
  readonly widths: readonly number[];
  readonly #plan: VoiceFramePlan;
  readonly #fft: RealFft;
  readonly #history: Float64Array;
  readonly #windowed: Float64Array;
  readonly #power: Float64Array;
  readonly #pitch = new Float64Array(PITCH_SAMPLES);
  readonly #decimated: Float64Array;
  readonly #correlations = new Float64Array(LAGS);
  readonly #measures = new Float64Array(MEASURES);

  constructor(plan: VoiceFramePlan) {
    this.#plan = plan;
    this.widths = widthsOf(plan);
    this.#fft = prepareFft(plan.size);
    this.#history = new Float64Array(plan.size);
    this.#windowed = new Float64Array(plan.size);
    this.#power = new Float64Array(plan.size / 2 + 1);
    this.#decimated = new Float64Array(plan.frame / plan.factor);
  }

  measure(samples: Float32Array): Float64Array {
    const { factor, window } = this.#plan;
    push(this.#history, samples);
    push(this.#pitch, decimate(samples, factor, this.#decimated));
    for (let i = 0; i < this.#windowed.length; i++) this.#windowed[i] = this.#history[i] * window[i];
    this.#fft.powerSpectrum(this.#windowed, this.#power);
    this.#measureBands();
    this.#measures[MEASURE.tones] = this.#isTones() ? 1 : 0;
    this.#measurePitch();
    let energy = 0;
    for (let i = 0; i < samples.length; i++) energy += samples[i] * samples[i];
    this.#measures[MEASURE.energy] = energy;
    return this.#measures;
  }

  #measureBands(): void {
    const { edges } = this.#plan;
    let below = 0;
    for (let band = 0; band < BANDS; band++) {
      const sum = this.#sum(edges[band], edges[band + 1]);
      this.#measures[band] = sum;
      below += sum;
    }
    this.#measures[MEASURE.below] = below;
    this.#measures[MEASURE.above] = this.#sum(edges[BANDS + 1], edges[BANDS + 2]);
  }

  /** One tone alone has no second peak; what is there is its own skirt or noise. */
  #isTones(): boolean {
    const { lowestBin, lowestToneBin } = this.#plan;
    const share = TONES_SHARE * this.#sum(lowestBin, this.#power.length);
    const first = this.#strongest(-1);
    const second = this.#strongest(first);
    if (first < lowestToneBin) return false;
    if (second < lowestToneBin) return this.#around(first) >= share;
    return this.#around(first) + this.#around(second) >= share;
  }

  /** Of the bins that are not around another one. */
  #strongest(other: number): number {
    let best = this.#plan.lowestBin;
    let most = -1;
    for (let bin = this.#plan.lowestBin; bin < this.#power.length; bin++) {
      if (this.#power[bin] <= most || Math.abs(bin - other) <= 2 * TONE_BINS) continue;
      most = this.#power[bin];
      best = bin;
    }
    return best;
  }

  #around(peak: number): number {
    const from = Math.max(this.#plan.lowestBin, peak - TONE_BINS);
    return this.#sum(from, Math.min(this.#power.length, peak + TONE_BINS + 1));
  }

  #sum(from: number, to: number): number {
    let sum = 0;
    for (let bin = from; bin < to; bin++) sum += this.#power[bin];
    return sum;
  }

  #measurePitch(): void {
    const wave = this.#pitch;
    const start = wave.length - PITCH_WINDOW;
    const energy = dot(wave, start, PITCH_WINDOW);
    let harmonicity = 0;
    let best = 0;
    if (energy >= 1e-9) {
      let shifted = dot(wave, start - SHORTEST_LAG, PITCH_WINDOW);
      this.#correlate(start);
      for (let lag = SHORTEST_LAG; lag <= LONGEST_LAG; lag++) {
        const correlation = this.#correlations[lag - SHORTEST_LAG];
        const normalised =
          correlation > 0 ? correlation / Math.sqrt(energy * Math.max(shifted, 0) + 1e-12) : 0;
        if (normalised > harmonicity) {
          harmonicity = normalised;
          best = lag;
        }
        // The window slides back by one sample.
        const entering = wave[start - lag - 1];
        const leaving = wave[start - lag - 1 + PITCH_WINDOW];
        shifted += entering * entering - leaving * leaving;
      }
    }
    this.#measures[MEASURE.harmonicity] = harmonicity;
    this.#measures[MEASURE.lag] = best;
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

function dot(wave: Float64Array, from: number, length: number): number {
  let sum = 0;
  for (let i = from; i < from + length; i++) sum += wave[i] * wave[i];
  return sum;
}
