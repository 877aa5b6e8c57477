import type { NativeAddon } from '../native/addon.ts';
import type { Snake } from './index.ts';

export const nativeSnake =
  (addon: NativeAddon): Snake =>
  (x, rows, alpha, out = new Float32Array(rows * alpha.length)) => {
    addon.snake(x, rows, alpha, alpha.length, out);
    return out;
  };
