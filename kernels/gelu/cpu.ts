import type { NativeAddon } from '../native/addon.ts';
import type { Gelu } from './index.ts';

export const nativeGelu =
  (addon: NativeAddon): Gelu =>
  (x, out = new Float32Array(x.length)) => {
    addon.gelu(x, x.length, out);
    return out;
  };
