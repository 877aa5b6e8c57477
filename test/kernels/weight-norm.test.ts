import { expect, it } from 'vitest';
import { foldedWeight } from '../../kernels/components/weight-norm.ts';
import type { Weights } from '../../kernels/weights/index.ts';

it('folds W = g·V/‖V‖ with the norm over all axes but the first, and keeps a zero direction zero', () => {
  const tensors: Record<string, Float32Array> = {
    'conv.weight_g': Float32Array.of(10, -1, 5),
    'conv.weight_v': Float32Array.of(3, 0, 0, 4, 0, 0, 2, 0, 0, 0, 0, 0),
  };
  const weights = { floats: (name: string) => tensors[name] } as unknown as Weights;
  expect([...foldedWeight(weights, 'conv', [3, 2, 2])].map(value => value + 0)).toEqual([
    6, 0, 0, 8, 0, 0, -1, 0, 0, 0, 0, 0,
  ]);
});
