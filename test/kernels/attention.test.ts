import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { attention } from '../../kernels/attention/reference.ts';

interface Case {
  rows: number;
  heads: number;
  headDim: number;
  scale: number;
  q: number[];
  k: number[];
  v: number[];
  out: number[];
}
const fixture: Case = JSON.parse(
  readFileSync(new URL('../fixtures/vision-ops/attention.json', import.meta.url), 'utf8'),
);
const { rows, heads, headDim, scale } = fixture;
const [q, k, v] = [fixture.q, fixture.k, fixture.v].map(x => Float32Array.from(x));

test('equals PyTorch softmax(q·kᵀ·scale)·v per head', () => {
  const out = attention(q, k, v, rows, heads, headDim, scale);
  out.forEach((value, i) => {
    expect(value).toBeCloseTo(fixture.out[i], 5);
  });
});

test('writes into the given buffer, which may be q', () => {
  const shared = q.slice();
  const out = attention(shared, k, v, rows, heads, headDim, scale, shared);
  expect(out).toBe(shared);
  expect(out).toEqual(attention(q, k, v, rows, heads, headDim, scale));
});

test('a query sees every key, before and after it', () => {
  const changed = v.slice();
  changed[changed.length - 1] += 1;
  const before = attention(q, k, v, rows, heads, headDim, scale);
  const after = attention(q, k, changed, rows, heads, headDim, scale);
  for (let row = 0; row < rows; row++) {
    const last = (row + 1) * heads * headDim - 1;
    expect(after[last]).not.toBe(before[last]);
    expect(after[row * heads * headDim]).toBe(before[row * heads * headDim]);
  }
});

test('large scores do not overflow', () => {
  const huge = q.map(value => value * 1e6);
  expect(attention(huge, k, v, rows, heads, headDim, scale).every(Number.isFinite)).toBe(true);
});
