import { expect, it } from 'vitest';
import { RouterCensus } from '../../cli/eval/routing.ts';
import { referenceOps } from '../../kernels/reference-ops.ts';
import type { Routing } from '../../kernels/router/index.ts';

it('counts whom the routers of a model choose, layer by layer, and changes nothing', () => {
  const routings: Routing[] = [
    // Room for a third row, which this call does not use.
    { topK: 2, indices: Int32Array.of(0, 3, 1, 3, 2, 2), weights: new Float32Array(6) },
    { topK: 2, indices: Int32Array.of(1, 2), weights: new Float32Array(2) },
  ];
  const census = new RouterCensus();
  let asked = 0;
  const ops = census.watch({ ...referenceOps, router: () => ({ apply: () => routings[asked++] }) });
  const classifier = {} as Parameters<typeof ops.router>[0];
  const [first, second] = [0, 1].map(() => ops.router(classifier, new Float32Array(4), 2, 1));
  expect(first.apply(new Float32Array(2), 2)).toBe(routings[0]);
  expect(second.apply(new Float32Array(1), 1)).toBe(routings[1]);
  expect(census.chosen).toEqual([
    [1, 1, 0, 2],
    [0, 1, 1, 0],
  ]);
  expect(ops.attention).toBe(referenceOps.attention);
});
