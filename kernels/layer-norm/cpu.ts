import type { NativeAddon } from '../native/addon.ts';
import type { LayerNorm } from './index.ts';

export const nativeLayerNorm =
  (addon: NativeAddon): LayerNorm =>
  (x, rows, weight, bias, epsilon, out = new Float32Array(rows * weight.length)) => {
    addon.layerNorm(x, rows, weight, bias, weight.length, epsilon, out);
    return out;
  };
