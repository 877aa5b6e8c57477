import type { NativeAddon } from '../native/addon.ts';
import type { PrepareFsmn } from './index.ts';

/** [width × taps] → [taps × width] */
export function kernelByTap(kernel: Float32Array, width: number): Float32Array {
  const taps = kernel.length / width;
  return kernel.map((_, n) => kernel[(n % width) * taps + Math.floor(n / width)]);
}

export const nativeFsmn =
  (addon: NativeAddon): PrepareFsmn =>
  (kernel, shape) => {
    const { width, left, right, dilation } = shape;
    const taps = left + 1 + right;
    const byTap = kernelByTap(kernel, width);
    return {
      shape,
      apply(x, g, rows, out = new Float32Array(rows * width)) {
        addon.fsmn(byTap, width, taps, dilation, x, g, rows, out);
        return out;
      },
    };
  };
