import type { NativeAddon } from '../native/addon.ts';
import type { CreateResampler } from './index.ts';
import { resamplerOver } from './reference.ts';

export const nativeResampler = (addon: NativeAddon): CreateResampler =>
  resamplerOver(({ up, down, halfTaps, taps }, samples, window, phase, out) =>
    addon.resample(taps, up, down, 2 * halfTaps, samples, window, phase, out),
  );
