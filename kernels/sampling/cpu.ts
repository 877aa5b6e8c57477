import type { NativeAddon } from '../native/addon.ts';
import type { SampleToken } from './index.ts';
import { sampleToken } from './reference.ts';

/** Arg-max is the case that every step of a reply needs; real draws go by the reference. */
export const nativeSampleToken =
  (addon: NativeAddon): SampleToken =>
  (logits, settings) => {
    const { temperature, topK } = settings;
    if (topK !== 1 && temperature !== 0) return sampleToken(logits, settings);
    return addon.argmax(logits, 0, logits.length);
  };
