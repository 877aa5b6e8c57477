import { describe, expect, it } from 'vitest';
import { prepareExperts } from '../../kernels/experts/reference.ts';
import { prepareRouter } from '../../kernels/router/reference.ts';
import { createWeight } from '../../kernels/weights/index.ts';

const matrix = (shape: number[], values: number[]) =>
  createWeight('w', shape, 'f32', Float32Array.from(values));
/** Logits ln 1, ln 2, ln 3, ln 4: probabilities 0.1, 0.2, 0.3, 0.4. */
const classifier = matrix([4, 1], [Math.log(1), Math.log(2), Math.log(3), Math.log(4)]);

describe('the router', () => {
  it('chooses the largest, in ascending order, and weighs by factor times probability without renormalising', () => {
    const { indices, weights } = prepareRouter(classifier, new Float32Array(4), 2, 6).apply(
      Float32Array.of(1),
      1,
    );
    expect([...indices]).toEqual([2, 3]);
    expect(weights[0]).toBeCloseTo(1.8, 6);
    expect(weights[1]).toBeCloseTo(2.4, 6);
  });

  it('lets the bias change the choice but not the weight', () => {
    const bias = Float32Array.of(0.35, 0, 0, 0);
    const { indices, weights } = prepareRouter(classifier, bias, 2, 6).apply(Float32Array.of(1), 1);
    expect([...indices]).toEqual([0, 3]);
    expect(weights[0]).toBeCloseTo(0.6, 6);
  });

  it('prefers the lower index among equals', () => {
    const { indices } = prepareRouter(classifier, new Float32Array(4), 3, 1).apply(Float32Array.of(0), 1);
    expect([...indices]).toEqual([0, 1, 2]);
  });

  it('refuses more choices than experts', () => {
    expect(() => prepareRouter(classifier, new Float32Array(4), 5, 1)).toThrow('top-k');
  });
});

describe('the experts', () => {
  const silu = (x: number) => x / (1 + Math.exp(-x));
  const expert = (scale: number) => ({
    gate: matrix([1, 2], [1, 0]),
    up: matrix([1, 2], [0, scale]),
    down: matrix([2, 1], [1, 10]),
  });

  it('add their weighted outputs; an index beyond them returns the input itself, scaled like the others', () => {
    const experts = prepareExperts([expert(1), expert(2)], 2);
    const x = Float32Array.of(1, 3, -1, 0.5);
    const routing = {
      topK: 2,
      indices: Int32Array.of(0, 2, 1, 3),
      weights: Float32Array.of(0.5, 6, 2, 0.25),
    };
    const out = experts.apply(x, 2, routing);
    const first = silu(1) * 3;
    const second = silu(-1) * 2 * 0.5;
    const expected = [0.5 * first + 6, 5 * first + 18, 2 * second - 0.25, 20 * second + 0.125];
    expected.forEach((value, i) => {
      expect(out[i]).toBeCloseTo(value, 5);
    });
  });
});
