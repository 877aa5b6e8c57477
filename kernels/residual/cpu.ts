import type { NativeAddon } from '../native/addon.ts';
import type { Residual } from './index.ts';

export const nativeResidual =
  (addon: NativeAddon): Residual =>
  (x, branch, scale) => {
    addon.residual(x, x.length, branch, scale ?? null, scale?.length ?? 0);
    return x;
  };
