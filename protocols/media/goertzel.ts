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
