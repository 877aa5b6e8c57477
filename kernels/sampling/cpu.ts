import type { NativeAddon } from '../native/addon.ts';
import type { SampleToken } from './index.ts';

export const nativeSampleToken =
  (addon: NativeAddon): SampleToken =>
  (logits, { temperature, topK, topP, draw }) =>
    topK === 1 || temperature === 0
      ? addon.argmax(logits, 0, logits.length)
      : addon.drawToken(logits, logits.length, temperature, topK, topP, draw);
