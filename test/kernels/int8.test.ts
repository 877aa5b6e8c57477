import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadLanguageModel } from '../../kernels/components/language-model/index.ts';
import { int8Ops } from '../../kernels/int8-ops.ts';
import { nativeSupport } from '../../kernels/native/index.ts';
import { referenceOps } from '../../kernels/reference-ops.ts';
import { createWeight, quantiseWeight } from '../../kernels/weights/index.ts';

const OUTPUTS = 3;
const INPUTS = 9;
const numbers = (length: number, limit: number) =>
  fc
    .array(fc.float({ noNaN: true, min: -limit, max: limit }), { minLength: length, maxLength: length })
    .map(values => Float32Array.from(values));

const largest = (values: Float32Array) => values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

const matrix = (values: Float32Array) => createWeight('w', [OUTPUTS, INPUTS], 'f32', values);

describe('int8 weights', () => {
  it('cost no more than the stated error against exact products', () => {
    fc.assert(
      fc.property(numbers(OUTPUTS * INPUTS, 4), numbers(INPUTS, 100), (w, x) => {
        const y = referenceOps.linear(quantiseWeight(matrix(w)), null).apply(x, 1);
        for (let o = 0; o < OUTPUTS; o++) {
          const row = w.subarray(o * INPUTS, (o + 1) * INPUTS);
          const [sx, sw] = [largest(x) / 127, largest(row) / 127];
          const exact = row.reduce((sum, value, i) => sum + value * x[i], 0);
          const bound = row.reduce(
            (sum, value, i) => sum + (Math.abs(x[i]) * sw + Math.abs(value) * sx) / 2 + (sx * sw) / 4,
            0,
          );
          // Roundings of float32 on top, and rows below the smallest scale.
          expect(Math.abs(y[o] - exact)).toBeLessThanOrEqual(bound * (1 + 1e-4) + 1e-27);
        }
      }),
    );
  });

  it('keep whole numbers up to 127 exactly', () => {
    const w = Float32Array.from({ length: OUTPUTS * INPUTS }, (_, i) =>
      i % INPUTS === 0 ? 127 : 7 * i - 90,
    );
    const x = Float32Array.of(127, -3, 5, 0, 11, -127, 64, 1, -1);
    const y = referenceOps.linear(quantiseWeight(matrix(w)), null).apply(x, 1);
    const exact = [0, 1, 2].map(o => x.reduce((sum, value, i) => sum + value * w[o * INPUTS + i], 0));
    expect([...y]).toEqual(exact);
  });

  it('make a row with NaN or infinity NaN, a vanishing row zero, and leave the other rows alone', () => {
    const w = matrix(Float32Array.from({ length: OUTPUTS * INPUTS }, (_, i) => Math.sin(i)));
    const x = new Float32Array(4 * INPUTS).fill(1);
    x[2] = Number.NaN;
    x[INPUTS + 3] = Number.NEGATIVE_INFINITY;
    x.fill(2 ** -120, 2 * INPUTS, 3 * INPUTS);
    const linear = referenceOps.linear(quantiseWeight(w), null);
    const y = linear.apply(x, 4);
    expect([...y.subarray(0, 2 * OUTPUTS)].every(Number.isNaN)).toBe(true);
    expect([...y.subarray(2 * OUTPUTS, 3 * OUTPUTS)]).toEqual([0, 0, 0]);
    expect([...y.subarray(3 * OUTPUTS)]).toEqual([...linear.apply(x.subarray(3 * INPUTS), 1)]);
  });

  it('of the language model follow the stored weights closely', () => {
    const directory = join(import.meta.dirname, '../../models/nano');
    const ops = nativeSupport().ops ?? referenceOps;
    const textIds = Int32Array.from({ length: 24 }, (_, i) => 150 + 7 * i);
    const positions = { textIds, codes: new Int32Array(96).fill(3), features: new Float32Array(0) };
    const [stored, int8] = [ops, int8Ops(ops)].map(used => {
      const model = loadLanguageModel(directory, used);
      return model.forward(model.open(), positions);
    });
    const dot = (a: Float32Array, b: Float32Array) => a.reduce((sum, value, i) => sum + value * b[i], 0);
    expect(dot(stored, int8) / Math.sqrt(dot(stored, stored) * dot(int8, int8))).toBeGreaterThan(0.99);
  });
});
