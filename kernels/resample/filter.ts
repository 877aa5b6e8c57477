import { RuntimeError } from '../errors.ts';

/** A polyphase filter: output k needs the inputs around floor(k·down/up) weighted by phase (k·down) mod up. */
export interface PolyphaseFilter {
  readonly up: number;
  readonly down: number;
  /** Input samples used before and after an output's instant (the sample at or before it counts as before). */
  readonly halfTaps: number;
  /** [up × 2·halfTaps] */
  readonly taps: Float64Array;
}

const ATTENUATION_DB = 90;
/** The half width in zero crossings of the lower rate; at 8 kHz the 5 ms let a telephone's 3400 Hz pass unharmed. */
const MAX_ZERO_CROSSINGS = 64;
const HALF_WIDTH_MS = 5;
const MAX_TAPS = 1 << 20;

export function designFilter(fromRateHz: number, toRateHz: number): PolyphaseFilter {
  const valid = [fromRateHz, toRateHz].every(rate => Number.isInteger(rate) && rate > 0);
  const divisor = valid ? greatestCommonDivisor(fromRateHz, toRateHz) : 1;
  const up = toRateHz / divisor;
  const down = fromRateHz / divisor;
  const lowRate = Math.min(fromRateHz, toRateHz);
  const zeroCrossings = Math.min(Math.round((HALF_WIDTH_MS * lowRate) / 1000), MAX_ZERO_CROSSINGS);
  const halfTaps = Math.ceil((zeroCrossings * fromRateHz) / lowRate);
  if (!valid || zeroCrossings < 1 || up * 2 * halfTaps > MAX_TAPS) {
    throw new RuntimeError('resample.rates', 'These sample rates cannot be converted.', {
      fromRateHz,
      toRateHz,
    });
  }
  // Kaiser's estimate of the transition band, in cycles per sample of the lower rate; it ends at that rate's Nyquist
  // frequency so that nothing folds back above −90 dB.
  const transition = (ATTENUATION_DB - 7.95) / (14.36 * 2 * zeroCrossings);
  const cutoff = ((0.5 - transition / 2) * lowRate) / fromRateHz;
  const beta = 0.1102 * (ATTENUATION_DB - 8.7);
  const taps = new Float64Array(up * 2 * halfTaps);
  for (let phase = 0; phase < up; phase++) {
    let sum = 0;
    for (let n = 0; n < 2 * halfTaps; n++) {
      const distance = n - (halfTaps - 1) - phase / up;
      const value = 2 * cutoff * sinc(2 * cutoff * distance) * kaiser(distance / halfTaps, beta);
      taps[phase * 2 * halfTaps + n] = value;
      sum += value;
    }
    // Every phase passes a constant unchanged; otherwise the phases' differences would be heard as tones.
    for (let n = 0; n < 2 * halfTaps; n++) taps[phase * 2 * halfTaps + n] /= sum;
  }
  return { up, down, halfTaps, taps };
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x));

/** The Kaiser window on [−1, 1]. */
const kaiser = (x: number, beta: number): number =>
  Math.abs(x) >= 1 ? 0 : besselI0(beta * Math.sqrt(1 - x * x)) / besselI0(beta);

function besselI0(x: number): number {
  let term = 1;
  let sum = 1;
  for (let k = 1; term > sum * 1e-17; k++) {
    term *= (x / (2 * k)) ** 2;
    sum += term;
  }
  return sum;
}
