import type { NativeAddon } from '../native/addon.ts';
import type { ResizeBilinear } from './index.ts';

export const nativeResizeBilinear =
  (addon: NativeAddon): ResizeBilinear =>
  (x, rows, columns, width, outRows, outColumns, out = new Float32Array(outRows * outColumns * width)) => {
    addon.resizeBilinear(x, rows, columns, width, outRows, outColumns, out);
    return out;
  };
