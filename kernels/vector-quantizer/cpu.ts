import type { NativeAddon } from '../native/addon.ts';
import type { PrepareVectorQuantizer } from './index.ts';
import { searchableCodebook } from './reference.ts';

/** [entries × width] → [width × entries]: neighbouring entries side by side. */
export function columnsOf(rows: Float64Array, entries: number): Float64Array {
  const width = rows.length / entries;
  return rows.map((_, n) => rows[(n % entries) * width + Math.floor(n / entries)]);
}

export const nativeVectorQuantizer =
  (addon: NativeAddon): PrepareVectorQuantizer =>
  (codebook, shape) => {
    const { entries, width } = shape;
    const { rowsOf, squares } = searchableCodebook(codebook, shape);
    const columns = columnsOf(rowsOf, entries);
    return {
      entries,
      width,
      nearest(x, rows) {
        const indices = new Int32Array(rows);
        addon.nearest(columns, squares, entries, width, x, rows, indices);
        return indices;
      },
    };
  };
