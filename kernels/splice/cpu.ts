import type { NativeAddon } from '../native/addon.ts';
import type { Splice } from './index.ts';

export const nativeSplice =
  (addon: NativeAddon): Splice =>
  (
    { data, first, count, width },
    { left, right, stride },
    firstVector,
    vectors,
    out = new Float32Array(vectors * (left + 1 + right) * width),
  ) => {
    addon.splice(data, first, count, width, left, right, stride, firstVector, vectors, out);
    return out;
  };
