import type { NativeAddon } from '../native/addon.ts';
import type { PrepareDoubleLinear } from './index.ts';

export const nativeDoubleLinear =
  (addon: NativeAddon): PrepareDoubleLinear =>
  (matrix, bias) => {
    const rows = bias.length;
    const width = matrix.length / rows;
    const columns = Float64Array.from(
      { length: matrix.length },
      (_, i) => matrix[(i % rows) * width + Math.floor(i / rows)],
    );
    return {
      apply(x, out) {
        addon.doubleLinear!(columns, bias, rows, width, x, out);
        return out;
      },
    };
  };
