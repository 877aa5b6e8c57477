import type { NativeAddon } from '../native/addon.ts';
import type { Swiglu } from './index.ts';

export const nativeSwiglu =
  (addon: NativeAddon): Swiglu =>
  (gate, up, out = new Float32Array(gate.length)) => {
    addon.swiglu(gate, up, gate.length, out);
    return out;
  };
