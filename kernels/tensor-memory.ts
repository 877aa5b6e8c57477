import type { CachePage } from './latent-attention/index.ts';

/**
 * Where the numbers of an engine's operations lie. What a tensor or a page of the cache is, only the engine knows: an
 * array of this process (`hostMemory`), or a handle of a device. Who is written against `Ops<T, Page>` has the host see
 * numbers through `read` and `write` alone.
 */
export interface TensorMemory<T, Page> {
  /** So many floats, with whatever they hold. */
  make(numbers: number): T;
  /** The first ones of a tensor, in the same memory. */
  head(of: T, numbers: number): T;
  /** What operations take at every call, such as the weights of a norm: brought there once. */
  hold(values: Float32Array): T;
  /** `elements`: numbers, with int8 the bytes of their scales too. */
  makePage(type: CacheType, elements: number): Page;
  copy(from: T, fromIndex: number, to: T, toIndex: number, numbers: number): void;
  write(to: T, index: number, values: Float32Array): void;
  /** Holds until an operation writes the tensor, and may be written by the reader: nobody reads it after him. */
  read(from: T): Float32Array;
}

/** How the cache's numbers are held. */
export type CacheType = 'bf16' | 'f32' | 'int8';

const PAGES = { bf16: Uint16Array, f32: Float32Array, int8: Int8Array } as const;

/** Arrays of this process: nothing is copied that need not be. */
export const hostMemory: TensorMemory<Float32Array, CachePage> = {
  make: numbers => new Float32Array(numbers),
  head: (of, numbers) => of.subarray(0, numbers),
  hold: values => values,
  makePage: (type, elements) => new PAGES[type](elements),
  copy: (from, fromIndex, to, toIndex, numbers) =>
    to.set(from.subarray(fromIndex, fromIndex + numbers), toIndex),
  write: (to, index, values) => to.set(values, index),
  read: from => from,
};
