import type { NativeAddon } from '../native/addon.ts';
import type { ResizeBicubic } from './index.ts';
import { bicubicOver, cubicTaps } from './reference.ts';

export const nativeResizeBicubic = (addon: NativeAddon): ResizeBicubic =>
  bicubicOver({
    horizontal(data, width, height, channels, outWidth, out) {
      const { first, count, weights, stride } = cubicTaps(width, outWidth);
      addon.bicubicHorizontal(data, width, height, channels, outWidth, first, count, weights, stride, out);
    },
    vertical(data, height, rowLength, outHeight, out) {
      const { first, count, weights, stride } = cubicTaps(height, outHeight);
      addon.bicubicVertical(data, height, rowLength, outHeight, first, count, weights, stride, out);
    },
  });
