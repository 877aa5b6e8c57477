import { expect, it } from 'vitest';
import { prepareVectorQuantizer } from '../../kernels/vector-quantizer/reference.ts';

// Entry 0 points the same way as the input but is long, entry 1 points elsewhere but is near the unit circle.
const codebook = Float32Array.of(5, 0, 0.6, 0.8, -1, 0);

it('compares directions with the cosine metric', () => {
  const quantizer = prepareVectorQuantizer(codebook, { entries: 3, width: 2, metric: 'cosine' });
  expect([...quantizer.nearest(Float32Array.of(0.01, 0, 3, 4, -7, 1), 3)]).toEqual([0, 1, 2]);
});

it('compares the unit vector with the codebook as it is with the euclidean metric', () => {
  const quantizer = prepareVectorQuantizer(codebook, { entries: 3, width: 2, metric: 'euclidean' });
  // From (1, 0): entry 0 is 4 away, entry 1 √0.8, entry 2 2; the length of the input plays no part.
  expect([...quantizer.nearest(Float32Array.of(1, 0, 100, 0, -1, 0), 3)]).toEqual([1, 1, 2]);
});

it('takes the smaller index of equals and survives a zero vector', () => {
  const twins = prepareVectorQuantizer(Float32Array.of(0, 1, 0, 1), {
    entries: 2,
    width: 2,
    metric: 'euclidean',
  });
  expect([...twins.nearest(Float32Array.of(0, 3, 0, 0), 2)]).toEqual([0, 0]);
});

it('refuses a codebook of another size', () => {
  expect(() => prepareVectorQuantizer(codebook, { entries: 4, width: 2, metric: 'cosine' })).toThrow(
    /entries: 4/,
  );
});
