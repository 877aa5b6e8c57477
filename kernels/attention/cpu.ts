import type { NativeAddon } from '../native/addon.ts';
import type { Attention } from './index.ts';

export const nativeAttention =
  (addon: NativeAddon): Attention =>
  (q, k, v, rows, heads, headDim, scale, out = new Float32Array(rows * heads * headDim)) => {
    addon.attention(q, k, v, rows, heads, headDim, scale, out);
    return out;
  };
