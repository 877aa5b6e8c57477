import { expect, it } from 'vitest';
import { splice } from '../../kernels/splice/reference.ts';

const layout = { left: 2, right: 1, stride: 3 };
/** Frame t holds (t, 10·t). */
const run = (first: number, count: number) => ({
  data: Float32Array.from({ length: 2 * count }, (_, i) => (first + (i >> 1)) * (i % 2 ? 10 : 1)),
  first,
  count,
  width: 2,
});

it('puts neighbouring frames side by side, oldest first, and repeats the edge frames', () => {
  const out = splice(run(0, 7), layout, 0, 3);
  // Centres 0, 3, 6 with two frames before and one after.
  expect([...out]).toEqual([
    ...[0, 0, 0, 0, 0, 0, 1, 10],
    ...[1, 10, 2, 20, 3, 30, 4, 40],
    ...[4, 40, 5, 50, 6, 60, 6, 60],
  ]);
});

it('gives a later vector from a later run of frames', () => {
  expect(splice(run(1, 6), layout, 1, 2)).toEqual(splice(run(0, 7), layout, 1, 2));
});

it('gives nothing for no vectors', () => {
  expect(splice(run(0, 0), layout, 0, 0)).toHaveLength(0);
});
