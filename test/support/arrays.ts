import { fileURLToPath } from 'node:url';
import { openWeightFile } from '../../kernels/weights/index.ts';

/** Repeatable values in [−scale, scale). */
export function seededArray(length: number, seed: number, scale = 1): Float32Array {
  let state = seed >>> 0 || 1;
  return Float32Array.from({ length }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return ((state / 2 ** 31 - 1) * scale) as number;
  });
}

export function maxDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) throw new Error(`${a.length} values against ${b.length}`);
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = Math.abs(a[i] - b[i]);
    if (!(difference <= largest)) largest = difference;
  }
  return largest;
}

/** [rows × columns] → [columns × rows] */
export function transposed(values: ArrayLike<number>, rows: number, columns: number): Float32Array {
  return Float32Array.from(
    { length: rows * columns },
    (_, i) => values[(i % rows) * columns + Math.floor(i / rows)],
  );
}

/** The pieces of `values`, cut at the given positions. */
export function cutAt<T extends Float32Array | Int32Array>(values: T, positions: readonly number[]): T[] {
  const edges = [0, ...[...positions].sort((a, b) => a - b), values.length];
  return edges.slice(1).map((end, i) => values.slice(edges[i], end) as T);
}

export function joined(parts: readonly Float32Array[]): Float32Array {
  const out = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    out.set(part, offset);
    offset += part.length;
  }
  return out;
}

/** One directory under test/fixtures with its `case.safetensors`: tensors computed by PyTorch (train/). */
export function openCase(name: string) {
  const directory = fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));
  const tensors = openWeightFile(`${directory}/case.safetensors`);
  return {
    directory,
    shape: (tensor: string): readonly number[] => tensors.shapeOf(tensor),
    floats: (tensor: string): Float32Array => tensors.floats(tensor, tensors.shapeOf(tensor)),
    integers: (tensor: string): Int32Array => tensors.integers(tensor, tensors.shapeOf(tensor)),
  };
}
