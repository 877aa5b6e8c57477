/** One tone in a stretch of sound (Goertzel 1958). */
export const goertzelCoefficient = (hz: number, rateHz: number) => 2 * Math.cos((2 * Math.PI * hz) / rateHz);

/** The mean square of a sine of the coefficient's frequency in `samples`. */
export function goertzel(samples: Float32Array, coefficient: number): number {
  let [before, last] = [0, 0];
  for (let n = 0; n < samples.length; n++) {
    const next = samples[n] + coefficient * last - before;
    before = last;
    last = next;
  }
  return (2 * (last * last + before * before - coefficient * last * before)) / samples.length ** 2;
}

/** The same of four tones, into `out` from `at` on: none waits for another's sum. */
export function fourGoertzels(
  samples: Float32Array,
  coefficients: readonly number[],
  out: Float64Array,
  at: number,
): void {
  const [ofA, ofB, ofC, ofD] = [
    coefficients[at],
    coefficients[at + 1],
    coefficients[at + 2],
    coefficients[at + 3],
  ];
  let [a, b, c, d] = [0, 0, 0, 0];
  let [aBefore, bBefore, cBefore, dBefore] = [0, 0, 0, 0];
  for (let n = 0; n < samples.length; n++) {
    const sample = samples[n];
    const [aNext, bNext] = [sample + ofA * a - aBefore, sample + ofB * b - bBefore];
    const [cNext, dNext] = [sample + ofC * c - cBefore, sample + ofD * d - dBefore];
    [aBefore, bBefore, cBefore, dBefore] = [a, b, c, d];
    [a, b, c, d] = [aNext, bNext, cNext, dNext];
  }
  const scale = samples.length ** 2;
  out[at] = (2 * (a * a + aBefore * aBefore - ofA * a * aBefore)) / scale;
  out[at + 1] = (2 * (b * b + bBefore * bBefore - ofB * b * bBefore)) / scale;
  out[at + 2] = (2 * (c * c + cBefore * cBefore - ofC * c * cBefore)) / scale;
  out[at + 3] = (2 * (d * d + dBefore * dBefore - ofD * d * dBefore)) / scale;
}
