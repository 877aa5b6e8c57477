import type { NativeAddon } from '../native/addon.ts';
import type { PrepareVectorQuantizer } from './index.ts';
import { searchableCodebook } from './reference.ts';

export const nativeVectorQuantizer =
  (addon: NativeAddon): PrepareVectorQuantizer =>
  (codebook, shape) => {
    const { entries, width } = shape;
    const { rowsOf, squares } = searchableCodebook(codebook, shape);
    // Neighbouring entries side by side.
    const columns = Float64Array.from(
      rowsOf,
      (_, n) => rowsOf[(n % entries) * width + Math.floor(n / entries)],
    );
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
