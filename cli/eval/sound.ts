import { FBANK_DEFAULTS } from '../../kernels/fbank/index.ts';
import type { Ops } from '../../kernels/ops.ts';
import { median } from './score.ts';

const RATE = 16_000;
const CEPSTRA = 13;
/** Frames this far below the loudest count as silence. */
const SILENCE_NEPER = 9;
const STEP = 320;
const WINDOW = 800;
const [LOWEST_HZ, HIGHEST_HZ] = [55, 250];
const VOICED = 0.55;

/**
 * Mel-cepstral distortion in dB of two recordings of the same length at 16 kHz: cosine transform of the log mel
 * energies, coefficients 1…13, frames of speech, no warping of time.
 */
export function melCepstralDistortion(ops: Ops, made: Float32Array, truth: Float32Array): number {
  const fbank = ops.fbank(FBANK_DEFAULTS);
  const length = Math.min(made.length, truth.length);
  const [a, b] = [fbank.apply(made.slice(0, length)), fbank.apply(truth.slice(0, length))];
  const { bins } = fbank;
  const level = (at: number) => b.subarray(at * bins, (at + 1) * bins).reduce((sum, v) => sum + v, 0) / bins;
  const frames = a.length / bins;
  const levels = Float32Array.from({ length: frames }, (_, at) => level(at));
  const loudest = levels.reduce((most, each) => Math.max(most, each), Number.NEGATIVE_INFINITY);
  let [sum, count] = [0, 0];
  for (let at = 0; at < frames; at++) {
    if (levels[at] < loudest - SILENCE_NEPER) continue;
    const difference = cepstrum(
      a.subarray(at * bins, (at + 1) * bins),
      b.subarray(at * bins, (at + 1) * bins),
    );
    sum += (10 / Math.LN10) * Math.sqrt(2 * difference.reduce((total, d) => total + d * d, 0));
    count++;
  }
  return count === 0 ? 0 : sum / count;
}

/** Difference of the cepstra c of log power = c₀ + 2 Σ cᵢ cos, so that the distortion is a root mean square in dB. */
function cepstrum(a: Float32Array, b: Float32Array): number[] {
  const n = a.length;
  return Array.from({ length: CEPSTRA }, (_, i) => {
    let sum = 0;
    for (let k = 0; k < n; k++) sum += (a[k] - b[k]) * Math.cos((Math.PI * (i + 1) * (k + 0.5)) / n);
    return sum / n;
  });
}

/** Median distance in cents of the pitch where both recordings are voiced; null where they never are. */
export function pitchDistanceCents(made: Float32Array, truth: Float32Array): number | null {
  const [a, b] = [pitchTrack(made), pitchTrack(truth)];
  const cents: number[] = [];
  for (let at = 0; at < Math.min(a.length, b.length); at++) {
    const [x, y] = [a[at], b[at]];
    if (x !== null && y !== null) cents.push(1200 * Math.abs(Math.log2(x / y)));
  }
  return cents.length === 0 ? null : median(cents);
}

/** Hz for each 20 ms by normalised autocorrelation, null where unvoiced. */
export function pitchTrack(samples: Float32Array): (number | null)[] {
  const [short, long] = [Math.floor(RATE / HIGHEST_HZ), Math.floor(RATE / LOWEST_HZ)];
  const power = (begin: number) => {
    let sum = 0;
    for (let i = begin; i < begin + WINDOW; i++) sum += samples[i] ** 2;
    return sum;
  };
  const starts: number[] = [];
  for (let begin = 0; begin + WINDOW + long < samples.length; begin += STEP) starts.push(begin);
  const loudest = Math.max(1e-9, ...starts.map(power));
  return starts.map(begin => {
    const energy = power(begin);
    if (energy < 1e-3 * loudest) return null;
    const correlations = new Float64Array(long + 1);
    let best = short;
    for (let lag = short; lag <= long; lag++) {
      let sum = 0;
      for (let i = begin; i < begin + WINDOW; i++) sum += samples[i] * samples[i + lag];
      correlations[lag] = sum / Math.sqrt(energy * power(begin + lag) + 1e-12);
      if (correlations[lag] > correlations[best]) best = lag;
    }
    if (correlations[best] < VOICED) return null;
    return RATE / peak(correlations, best, short, long);
  });
}

/**
 * The vertex of the parabola through a maximum and its neighbours; the shortest lag nearly as good, against octave
 * errors.
 */
function peak(correlations: Float64Array, best: number, short: number, long: number): number {
  for (let lag = short + 1; lag < best - 2; lag++) {
    const isLocal = correlations[lag] >= correlations[lag - 1] && correlations[lag] >= correlations[lag + 1];
    if (isLocal && correlations[lag] > 0.9 * correlations[best]) return peak(correlations, lag, lag, long);
  }
  if (best <= short || best >= long) return best;
  const [left, middle, right] = [correlations[best - 1], correlations[best], correlations[best + 1]];
  const curve = left - 2 * middle + right;
  return curve < 0 ? best + (0.5 * (left - right)) / curve : best;
}
