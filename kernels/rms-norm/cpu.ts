import type { NativeAddon } from '../native/addon.ts';
import type { RmsNorm } from './index.ts';

export const nativeRmsNorm =
  (addon: NativeAddon): RmsNorm =>
  (x, rows, weight, epsilon, out = new Float32Array(rows * weight.length)) => {
    addon.rmsNorm(x, rows, weight, weight.length, epsilon, out);
    return out;
  };
