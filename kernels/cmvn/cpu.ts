import type { NativeAddon } from '../native/addon.ts';
import type { Cmvn } from './index.ts';

export const nativeCmvn =
  (addon: NativeAddon): Cmvn =>
  (x, rows, { mean, deviation }, out = new Float32Array(x.length)) => {
    addon.cmvn(x, rows, mean.length, mean, deviation, out);
    return out;
  };
