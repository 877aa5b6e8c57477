import { RuntimeError } from '../errors.ts';
import type { CudaArray } from '../native/cuda/addon.ts';
import type { CudaDevice } from '../native/cuda/device.ts';
import type { CachePage, PrepareLatentAttention } from './index.ts';

/** Positions of a part of the cache, whatever the pages (latent-attention/cuda.cu). */
export const PART_ROWS = 64;

interface Described {
  readonly rows: number;
  readonly sequences: Int32Array;
  readonly positions: Int32Array;
  /** Per sequence the places of its pages in `pages`. */
  readonly table: Int32Array;
  readonly tableStride: number;
  /** All pages, one after the other. */
  readonly pages: Float32Array | Uint16Array;
  readonly pageNumbers: number;
  readonly longest: number;
}

interface Segment {
  readonly rows: number;
  readonly start: number;
  readonly pages: readonly CachePage[];
}

export const noInt8OnDevice = (): RuntimeError =>
  new RuntimeError(
    'cuda.cache',
    'The device holds no cache in int8.',
    { cache: 'int8' },
    'Use bf16, or the cpu engine.',
  );

/** The cache of a call as the kernels read it: rows with their sequence and position, a table of pages. */
export function describeCache(segments: readonly Segment[], pageRows: number): Described {
  const counts = segments.map(({ start, rows }) => Math.ceil((start + rows) / pageRows));
  const tableStride = Math.max(1, ...counts);
  const first = segments.find(({ pages }) => pages.length > 0)?.pages[0] ?? new Float32Array(0);
  if (first instanceof Int8Array) throw noInt8OnDevice();
  const pageNumbers = first.length;
  const total = counts.reduce((sum, count) => sum + count, 0);
  const pages =
    first instanceof Uint16Array
      ? new Uint16Array(total * pageNumbers)
      : new Float32Array(total * pageNumbers);
  const table = new Int32Array(Math.max(1, segments.length) * tableStride);
  let next = 0;
  segments.forEach((segment, s) => {
    for (let p = 0; p < counts[s]; p++) {
      pages.set(segment.pages[p], next * pageNumbers);
      table[s * tableStride + p] = next++;
    }
  });
  const sequences = segments.flatMap(({ rows }, s) => Array.from({ length: rows }, () => s));
  const positions = segments.flatMap(({ rows, start }) => Array.from({ length: rows }, (_, r) => start + r));
  return {
    rows: positions.length,
    sequences: Int32Array.from(sequences),
    positions: Int32Array.from(positions),
    table,
    tableStride,
    pages,
    pageNumbers,
    longest: Math.max(1, ...segments.map(({ start, rows }) => start + rows)),
  };
}

export const cudaLatentAttention =
  (device: CudaDevice): PrepareLatentAttention =>
  (expansion, { heads, nope, rope, value, rank }) => {
    const weight = device.hold(expansion);
    return {
      apply(q, segments, out) {
        const pageRows = segments[0]?.plane.pageRows ?? 1;
        // Every segment has an offset of its own here; the planes are cut out, so that all begin at nothing.
        const planes = segments.map(({ rows, start, plane }) => {
          const end = plane.offset + pageRows * (rank + rope);
          return { rows, start, pages: plane.pages.map(page => page.subarray(plane.offset, end)) };
        });
        const cache = describeCache(planes, pageRows);
        const result = out ?? new Float32Array(cache.rows * heads * value);
        const numbers = [cache.rows, heads, nope, rope, value, rank, pageRows, cache.pageNumbers, 0];
        const queries: CudaArray = q.subarray(0, cache.rows * heads * (nope + rope));
        device.run(
          'latentAttention',
          [...numbers, cache.tableStride, PART_ROWS, cache.longest],
          [weight, queries, cache.sequences, cache.positions, cache.table, cache.pages],
          [result.subarray(0, cache.rows * heads * value)],
        );
        return result;
      },
    };
  };
