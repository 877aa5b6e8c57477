import { createWeight, type Weight } from '../../weights/index.ts';

/**
 * Patch embedding for frames that are all alike, as of a still image, which is duplicated in time
 * (docs/spec/model.md §2.3): [hidden, 3, 1, patch, patch], the weights summed over time. The same sum in another order,
 * a frame's work instead of all.
 * @param kernel [hidden, 3, frames, patch, patch]
 */
export function summedOverFrames(kernel: Weight): Weight {
  const [hidden, channels, frames, rows, columns] = kernel.shape;
  const area = rows * columns;
  const values = kernel.toFloat32();
  const sums = Float32Array.from({ length: hidden * channels * area }, (_, i) => {
    const first = Math.floor(i / area) * frames * area + (i % area);
    let sum = 0;
    for (let frame = 0; frame < frames; frame++) sum += values[first + frame * area];
    return sum;
  });
  return createWeight(kernel.name, [hidden, channels, 1, rows, columns], 'f32', sums);
}

export function allEqual(pictures: readonly Uint8Array[]): boolean {
  return pictures.every(picture => Buffer.compare(picture, pictures[0]) === 0);
}
