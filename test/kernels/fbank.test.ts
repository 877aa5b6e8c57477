import { describe, expect, it } from 'vitest';
import { FBANK_DEFAULTS } from '../../kernels/fbank/index.ts';
import { prepareFbank } from '../../kernels/fbank/reference.ts';
import { maxDifference, openCase, seededArray } from '../support/arrays.ts';

describe('fbank', () => {
  // PyTorch computes in float32: window, transform and logarithm each cost about 1e-6 of the value, and a bin whose
  // energy cancels a little more. Log energies are around 20, so 1e-4 is 40 float32 steps.
  for (const name of ['half-second', 'one-frame', 'silence-and-clipping']) {
    for (const scale of [32768, 32767]) {
      it(`equals PyTorch on ${name} at scale ${scale}`, () => {
        const fixture = openCase(`fbank/${name}`);
        const fbank = prepareFbank({ ...FBANK_DEFAULTS, scale });
        const energies = fbank.apply(fixture.floats('input.samples'));
        expect(maxDifference(energies, fixture.floats(`output.scale_${scale}`))).toBeLessThan(1e-4);
      });
    }
  }

  it('has T = 1 + floor((N − 400)/160) frames, fully inside the signal only', () => {
    const fbank = prepareFbank(FBANK_DEFAULTS);
    expect([0, 399, 400, 559, 560, 16000].map(n => fbank.frameCount(n))).toEqual([0, 0, 1, 1, 2, 98]);
    expect(fbank.apply(new Float32Array(16000))).toHaveLength(98 * 80);
  });

  it('floors silence at the logarithm of the float32 epsilon', () => {
    const energies = prepareFbank(FBANK_DEFAULTS).apply(new Float32Array(400));
    expect(new Set(energies)).toEqual(new Set([Math.fround(Math.log(1.1920929e-7))]));
  });

  it('gives a frame the same bits wherever the signal is cut', () => {
    const fbank = prepareFbank(FBANK_DEFAULTS);
    const samples = seededArray(2000, 7);
    const whole = fbank.apply(samples);
    expect(fbank.apply(samples.subarray(480))).toEqual(whole.slice(3 * 80));
  });

  it('puts a tone into the bin whose triangle contains it', () => {
    const tone = Float32Array.from(
      { length: 400 },
      (_, n) => 0.5 * Math.sin((2 * Math.PI * 1000 * n) / 16000),
    );
    const energies = prepareFbank(FBANK_DEFAULTS).apply(tone);
    const mel = (f: number): number => 1127 * Math.log(1 + f / 700);
    const step = (mel(7800) - mel(40)) / 81;
    expect(energies.indexOf(Math.max(...energies))).toBe(Math.round((mel(1000) - mel(40)) / step) - 1);
  });

  it('refuses frequencies outside the spectrum', () => {
    expect(() => prepareFbank({ ...FBANK_DEFAULTS, highFrequencyHz: 9000 })).toThrow(/high: 9000/);
  });
});
