import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { penalise } from '../../kernels/penalty/reference.ts';
import { prepareRotary } from '../../kernels/rotary/reference.ts';
import { sampleToken } from '../../kernels/sampling/reference.ts';

/** Probabilities 0.1, 0.4, 0.2, 0.3. */
const logits = Float32Array.from([0.1, 0.4, 0.2, 0.3], Math.log);
const settings = { temperature: 1, topK: 0, topP: 1, draw: 0 };

describe('text sampling', () => {
  it('follows the draw along descending probability', () => {
    const chosen = [0, 0.39, 0.41, 0.69, 0.71, 0.89, 0.91, 0.999].map(draw =>
      sampleToken(logits, { ...settings, draw }),
    );
    expect(chosen).toEqual([1, 1, 3, 3, 2, 2, 0, 0]);
  });

  it('keeps the k likeliest and renormalises', () => {
    // Of 0.4 and 0.3 the first owns 4/7.
    expect(sampleToken(logits, { ...settings, topK: 2, draw: 0.57 })).toBe(1);
    expect(sampleToken(logits, { ...settings, topK: 2, draw: 0.58 })).toBe(3);
  });

  it('keeps the smallest set that reaches p, after top-k', () => {
    expect(sampleToken(logits, { ...settings, topP: 0.35, draw: 0.999 })).toBe(1);
    expect(sampleToken(logits, { ...settings, topP: 0.6, draw: 0.999 })).toBe(3);
    expect(sampleToken(logits, { ...settings, topK: 2, topP: 0.56, draw: 0.999 })).toBe(1);
  });

  it('is arg-max at top-k 1 and at temperature 0, whatever the draw', () => {
    expect(sampleToken(logits, { ...settings, topK: 1, draw: 0.99 })).toBe(1);
    expect(sampleToken(logits, { ...settings, temperature: 0, draw: 0.99 })).toBe(1);
  });

  it('sharpens with temperature', () => {
    // At ½ the probabilities are squares: 16/30 for the likeliest.
    expect(sampleToken(logits, { ...settings, temperature: 0.5, draw: 0.53 })).toBe(1);
    expect(sampleToken(logits, { ...settings, temperature: 0.5, draw: 0.54 })).toBe(3);
  });

  it('always gives an id, also of degenerate logits', () => {
    const logit = fc.oneof(
      fc.float(),
      fc.constantFrom(Number.NaN, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY),
    );
    const draw = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    fc.assert(
      fc.property(fc.array(logit, { minLength: 1, maxLength: 20 }), draw, fc.nat(5), (values, draw, topK) => {
        const id = sampleToken(Float32Array.from(values), { temperature: 0.7, topK, topP: 0.9, draw });
        expect(id).toBeGreaterThanOrEqual(0);
        expect(id).toBeLessThan(values.length);
      }),
    );
  });
});

describe('the repetition penalty', () => {
  it('weakens by the factor to the number of times, either side of zero', () => {
    const row = Float32Array.of(2, -2, 2, 2);
    penalise(row, Int32Array.of(0, 1, 1, -1, 0, 0, 99), 1.1);
    expect(row[0]).toBeCloseTo(2 / 1.331, 6);
    expect(row[1]).toBeCloseTo(-2 * 1.21, 6);
    expect([row[2], row[3]]).toEqual([2, 2]);
  });

  it('looks at the last thirty entries only', () => {
    const row = Float32Array.of(1, 1);
    penalise(row, Int32Array.from([0, ...Array(30).fill(1)]), 1.1);
    expect(row[0]).toBe(1);
    expect(row[1]).toBeCloseTo(1.1 ** -30, 6);
  });
});

describe('rotary embedding', () => {
  it('turns adjacent pairs by position · base^(−2i/width), all heads alike, and leaves the rest alone', () => {
    const x = Float32Array.of(9, 1, 0, 1, 0, 9, 1, 0, 0, 1);
    const layout = { rows: 1, stride: 10, offset: 1, heads: 2, headStride: 5 };
    prepareRotary(4, 100).apply(x, layout, Int32Array.of(3));
    const expected = [9, Math.cos(3), Math.sin(3), Math.cos(0.3), Math.sin(0.3)];
    const second = [9, Math.cos(3), Math.sin(3), -Math.sin(0.3), Math.cos(0.3)];
    [...expected, ...second].forEach((value, i) => {
      expect(x[i]).toBeCloseTo(value, 6);
    });
  });

  it('keeps the float32 angle of far positions', () => {
    const x = Float32Array.of(1, 0, 1, 0);
    prepareRotary(4, 1e7).apply(
      x,
      { rows: 1, stride: 4, offset: 0, heads: 1, headStride: 4 },
      Int32Array.of(131071),
    );
    const angle = Math.fround(131071 * Math.fround(1 / Math.fround(1e7 ** 0.5)));
    expect(x[2]).toBeCloseTo(Math.cos(angle), 6);
  });
});
