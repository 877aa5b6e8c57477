import type { NativeAddon } from '../native/addon.ts';
import type { PrepareRotary } from './index.ts';
import { rotaryFrequencies } from './reference.ts';

export const nativeRotary =
  (addon: NativeAddon): PrepareRotary =>
  (width, base) => {
    const frequencies = rotaryFrequencies(width, base);
    return {
      apply(x, { rows, stride, offset, heads, headStride }, positions) {
        addon.rotary(x, rows, stride, offset, heads, headStride, frequencies, positions);
      },
    };
  };
