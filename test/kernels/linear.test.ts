import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { prepareLinear } from '../../kernels/linear/reference.ts';
import { rmsNorm } from '../../kernels/rms-norm/reference.ts';
import { swiglu } from '../../kernels/swiglu/reference.ts';
import { createWeight } from '../../kernels/weights/index.ts';

const matrix = (shape: number[], values: number[]) =>
  createWeight('w', shape, 'f32', Float32Array.from(values));

describe('linear', () => {
  it('is x·Wᵀ + b', () => {
    const linear = prepareLinear(
      matrix([5, 2], [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]),
      Float32Array.of(0, 0, 0, 0, 0.5),
    );
    expect([...linear.apply(Float32Array.of(1, -1, 2, 0), 2)]).toEqual([
      -1, -1, -1, -1, -0.5, 2, 6, 10, 14, 18.5,
    ]);
  });

  it('gives each row the same bits alone and in a batch', () => {
    const value = fc.float({ noNaN: true, min: -10, max: 10 });
    fc.assert(
      fc.property(
        fc.array(value, { minLength: 21, maxLength: 21 }),
        fc.array(value, { minLength: 9, maxLength: 9 }),
        (w, x) => {
          const linear = prepareLinear(matrix([7, 3], w), null);
          const rows = Float32Array.from(x);
          const alone = [0, 3, 6].flatMap(start => [...linear.apply(rows.subarray(start, start + 3), 1)]);
          expect([...linear.apply(rows, 3)]).toEqual(alone);
        },
      ),
    );
  });

  it('refuses a bias of another width', () => {
    expect(() => prepareLinear(matrix([2, 1], [1, 2]), new Float32Array(3))).toThrow('linear layer');
  });
});

describe('RMS norm', () => {
  it('divides by the root of the mean square and multiplies by the weight', () => {
    const out = rmsNorm(Float32Array.of(3, 4, 0, 0), 2, Float32Array.of(1, 2), 1e-5);
    expect(out[0]).toBeCloseTo(3 / Math.sqrt(12.5 + 1e-5), 6);
    expect(out[1]).toBeCloseTo(8 / Math.sqrt(12.5 + 1e-5), 6);
    expect([...out.subarray(2)]).toEqual([0, 0]);
  });
});

describe('SwiGLU', () => {
  it('is SiLU(gate) times up', () => {
    const out = swiglu(Float32Array.of(0, 1, -1), Float32Array.of(5, 2, 2));
    expect(out[0]).toBe(0);
    expect(out[1]).toBeCloseTo(2 / (1 + Math.exp(-1)), 6);
    expect(out[2]).toBeCloseTo(-2 / (1 + Math.E), 6);
  });
});
