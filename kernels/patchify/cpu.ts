import type { NativeAddon } from '../native/addon.ts';
import type { Patchify } from './index.ts';
import { CHANNELS, normalisedLevels } from './reference.ts';

export const nativePatchify =
  (addon: NativeAddon): Patchify =>
  (frames, layout, out) => {
    const { height, width, patch } = layout;
    const result = out ?? new Float32Array(frames.length * CHANNELS * height * width);
    addon.patchify(frames, height, width, patch, normalisedLevels(layout), result);
    return result;
  };
