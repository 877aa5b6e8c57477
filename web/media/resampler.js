/** Zero crossings of the filter on each side, at the lower of the two rates. */
const CROSSINGS = 16;
/** The pass band, as a share of the lower Nyquist frequency. */
const PASS = 0.92;

/** A streaming polyphase resampler: microphones run at 44.1 or 48 kHz, the protocol at 24. */
export class Resampler {
  /** @param {number} fromHz @param {number} toHz */
  constructor(fromHz, toHz) {
    const divisor = greatestCommonDivisor(fromHz, toHz);
    this.up = toHz / divisor;
    this.down = fromHz / divisor;
    const narrowing = Math.min(1, toHz / fromHz);
    this.half = Math.ceil(CROSSINGS / narrowing);
    this.phases = Array.from({ length: this.up }, (_, phase) =>
      filterPhase(phase / this.up, this.half, narrowing * PASS),
    );
    /** Input not yet used up; starts with silence, so that the first output sits on the first input. */
    this.pending = new Float32Array(this.half - 1);
    this.skip = 0;
    this.phase = 0;
  }

  /** @param {Float32Array} input any length @returns {Float32Array} what became complete with it */
  push(input) {
    const signal = new Float32Array(this.pending.length + input.length);
    signal.set(this.pending);
    signal.set(input, this.pending.length);
    const output = [];
    const taps = 2 * this.half;
    let at = this.skip;
    while (at + taps <= signal.length) {
      const filter = this.phases[this.phase];
      let sum = 0;
      for (let k = 0; k < taps; k++) sum += signal[at + k] * filter[k];
      output.push(sum);
      this.phase += this.down;
      at += Math.floor(this.phase / this.up);
      this.phase %= this.up;
    }
    this.pending = signal.slice(at);
    this.skip = Math.max(0, at - signal.length);
    return Float32Array.from(output);
  }
}

/** A Blackman-windowed sinc around `fraction`, with unit gain at 0 Hz. */
function filterPhase(fraction, half, cutoff) {
  const filter = Float64Array.from({ length: 2 * half }, (_, k) => {
    const x = k - half + 1 - fraction;
    const angle = Math.PI * cutoff * x;
    const window = 0.42 + 0.5 * Math.cos((Math.PI * x) / half) + 0.08 * Math.cos((2 * Math.PI * x) / half);
    return (x === 0 ? 1 : Math.sin(angle) / angle) * Math.max(0, window);
  });
  const gain = filter.reduce((sum, value) => sum + value, 0);
  return filter.map(value => value / gain);
}

function greatestCommonDivisor(a, b) {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}
