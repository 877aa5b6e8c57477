import { describe, expect, it } from 'vitest';
import { prepareFft } from '../../kernels/fft/reference.ts';
import { seededArray } from '../support/arrays.ts';

/** The definition, term by term. */
function definition(frame: Float64Array, size: number, k: number): [number, number] {
  let real = 0;
  let imaginary = 0;
  frame.forEach((value, n) => {
    real += value * Math.cos((2 * Math.PI * k * n) / size);
    imaginary -= value * Math.sin((2 * Math.PI * k * n) / size);
  });
  return [real, imaginary];
}

describe('fft', () => {
  for (const [size, length] of [
    [2, 2],
    [16, 16],
    [64, 50],
    [512, 400],
  ]) {
    it(`equals the defining sum for ${length} values in a transform of ${size}`, () => {
      const frame = new Float64Array(seededArray(length, size));
      const fft = prepareFft(size);
      const real = new Float64Array(size / 2 + 1);
      const imaginary = new Float64Array(size / 2 + 1);
      fft.transform(frame, real, imaginary);
      const power = fft.powerSpectrum(frame);
      for (let k = 0; k <= size / 2; k++) {
        const [re, im] = definition(frame, size, k);
        expect(real[k]).toBeCloseTo(re, 10);
        expect(imaginary[k]).toBeCloseTo(im, 10);
        expect(power[k]).toBeCloseTo(re * re + im * im, 9);
      }
    });
  }

  it('refuses sizes that are not powers of two and frames that are too long', () => {
    expect(() => prepareFft(48)).toThrow(/power of two.*48/);
    expect(() => prepareFft(4).powerSpectrum(new Float64Array(5))).toThrow(/frame: 5/);
  });
});
