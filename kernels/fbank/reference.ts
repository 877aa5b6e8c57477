import { RuntimeError } from '../errors.ts';
import { prepareFft } from '../fft/reference.ts';
import type { FbankOptions, PrepareFbank } from './index.ts';

/** float32 machine epsilon: the floor under an energy before its logarithm. */
export const ENERGY_FLOOR = 1.1920929e-7;
const WINDOW_POWER = 0.85;

/**
 * What every engine's filter bank is made of; `size` is that of the transform.
 * @throws RuntimeError `fbank.options` | `fbank.frequencies`
 */
export function fbankTables(options: FbankOptions) {
  const frameLength = Math.round((options.sampleRateHz * options.frameLengthMs) / 1000);
  const frameShift = Math.round((options.sampleRateHz * options.frameShiftMs) / 1000);
  if (!(frameLength >= 2 && frameShift >= 1 && options.bins >= 1)) {
    throw new RuntimeError('fbank.options', 'A filter bank needs frames, a shift and bins.', { ...options });
  }
  const size = 2 ** Math.ceil(Math.log2(frameLength));
  const window = poveyWindow(frameLength);
  const filters = melFilters(options, size);
  const frameCount = (samples: number): number =>
    samples < frameLength ? 0 : 1 + Math.floor((samples - frameLength) / frameShift);
  return { frameLength, frameShift, size, window, filters, frameCount };
}

/** docs/spec/model.md §3.1, in double precision; only the result is rounded to float32. */
export const prepareFbank: PrepareFbank = options => {
  const { frameLength, frameShift, size, window, filters, frameCount } = fbankTables(options);
  const transform = prepareFft(size);
  const frame = new Float64Array(frameLength);
  const power = new Float64Array(size / 2 + 1);

  return {
    bins: options.bins,
    frameLength,
    frameShift,
    frameCount,
    apply(samples, out = new Float32Array(frameCount(samples.length) * options.bins)) {
      const frames = frameCount(samples.length);
      for (let t = 0; t < frames; t++) {
        const start = t * frameShift;
        let previous = samples[start] * options.scale;
        for (let n = 0; n < frameLength; n++) {
          const sample = samples[start + n] * options.scale;
          frame[n] = (sample - options.preEmphasis * previous) * window[n];
          previous = sample;
        }
        transform.powerSpectrum(frame, power);
        for (let bin = 0; bin < options.bins; bin++) {
          const { first, weights } = filters[bin];
          let energy = 0;
          for (let i = 0; i < weights.length; i++) energy += weights[i] * power[first + i];
          out[t * options.bins + bin] = Math.log(Math.max(energy, ENERGY_FLOOR));
        }
      }
      return out;
    },
  };
};

/** A symmetric Hann window raised to 0.85. */
function poveyWindow(length: number): Float64Array {
  return Float64Array.from(
    { length },
    (_, n) => (0.5 - 0.5 * Math.cos((2 * Math.PI * n) / (length - 1))) ** WINDOW_POWER,
  );
}

interface MelFilter {
  /** First spectrum bin with a weight. */
  readonly first: number;
  readonly weights: Float64Array;
}

const mel = (frequencyHz: number): number => 1127 * Math.log(1 + frequencyHz / 700);

/** Triangles equally spaced in mel, linear in mel, without area normalisation; the Nyquist bin has no weight. */
function melFilters(options: FbankOptions, fftSize: number): MelFilter[] {
  const nyquist = options.sampleRateHz / 2;
  const high = options.highFrequencyHz > 0 ? options.highFrequencyHz : nyquist + options.highFrequencyHz;
  if (!(options.lowFrequencyHz >= 0 && options.lowFrequencyHz < high && high <= nyquist)) {
    throw new RuntimeError(
      'fbank.frequencies',
      'Filter-bank frequencies must satisfy 0 ≤ low < high ≤ Nyquist.',
      {
        low: options.lowFrequencyHz,
        high,
        nyquist,
      },
    );
  }
  const lowMel = mel(options.lowFrequencyHz);
  const step = (mel(high) - lowMel) / (options.bins + 1);
  return Array.from({ length: options.bins }, (_, bin) => {
    const centre = lowMel + (bin + 1) * step;
    const weightOf = (k: number): number =>
      Math.max(0, 1 - Math.abs(mel((k * options.sampleRateHz) / fftSize) - centre) / step);
    let first = 0;
    while (first < fftSize / 2 && weightOf(first) === 0) first++;
    let end = first;
    while (end < fftSize / 2 && weightOf(end) > 0) end++;
    return { first, weights: Float64Array.from({ length: end - first }, (_, i) => weightOf(first + i)) };
  });
}
