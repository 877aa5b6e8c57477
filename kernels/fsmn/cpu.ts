import type { NativeAddon } from '../native/addon.ts';
import type { PrepareFsmn } from './index.ts';

export const nativeFsmn =
  (addon: NativeAddon): PrepareFsmn =>
  (kernel, shape) => {
    const { width, left, right, dilation } = shape;
    const taps = left + 1 + right;
    const byTap = Float32Array.from(
      { length: taps * width },
      (_, n) => kernel[(n % width) * taps + Math.floor(n / width)],
    );
    return {
      shape,
      apply(x, g, rows, out = new Float32Array(rows * width)) {
        addon.fsmn(byTap, width, taps, dilation, x, g, rows, out);
        return out;
      },
    };
  };
