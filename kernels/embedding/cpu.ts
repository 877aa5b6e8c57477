import type { NativeAddon } from '../native/addon.ts';
import type { PrepareEmbedding } from './index.ts';

export const nativeEmbedding =
  (addon: NativeAddon): PrepareEmbedding =>
  (tables, width) => {
    const handle = addon.prepareEmbedding(tables, width);
    return {
      apply(ids, rows, out) {
        addon.embed(handle, ids, rows, out);
      },
    };
  };
