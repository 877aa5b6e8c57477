import type { NativeAddon } from '../native/addon.ts';
import type { Patchify, PatchLayout } from './index.ts';
import { CHANNELS, normalisedLevels } from './reference.ts';

export const nativePatchify = (addon: NativeAddon): Patchify => {
  /** A model's pictures are all normalised alike. */
  let kept: Pick<PatchLayout, 'mean' | 'std'> = { mean: [], std: [] };
  let levels: Float32Array = new Float32Array(0);
  return (frames, layout, out) => {
    const { height, width, patch, mean, std } = layout;
    if (mean !== kept.mean || std !== kept.std) {
      kept = { mean, std };
      levels = normalisedLevels(layout);
    }
    const result = out ?? new Float32Array(frames.length * CHANNELS * height * width);
    addon.patchify(frames, height, width, patch, levels, result);
    return result;
  };
};
