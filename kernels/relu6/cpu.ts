import type { NativeAddon } from '../native/addon.ts';
import type { Relu6 } from './index.ts';

export const nativeRelu6 =
  (addon: NativeAddon): Relu6 =>
  (x, out = new Float32Array(x.length)) => {
    addon.relu6(x, x.length, out);
    return out;
  };
