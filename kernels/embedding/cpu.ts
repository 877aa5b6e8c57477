import { packing, storedValues } from '../linear/cpu.ts';
import type { NativeAddon } from '../native/addon.ts';
import type { PrepareEmbedding } from './index.ts';

export const nativeEmbedding =
  (addon: NativeAddon): PrepareEmbedding =>
  (tables, width) => {
    const entries = Int32Array.from(tables, table => table.shape[0]);
    const handle = packing(tables, () => addon.prepareEmbedding(tables.map(storedValues), width, entries));
    return {
      apply(ids, rows, out) {
        addon.embed(handle, ids, rows, out);
      },
    };
  };
