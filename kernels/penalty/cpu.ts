import type { NativeAddon } from '../native/addon.ts';
import { PENALTY_WINDOW, type Penalise } from './index.ts';

export const nativePenalise =
  (addon: NativeAddon): Penalise =>
  (logits, history, factor) => {
    if (factor === 1 || history.length === 0) return;
    const recent = history.length > PENALTY_WINDOW ? history.subarray(-PENALTY_WINDOW) : history;
    addon.penalise(logits, logits.length, recent, recent.length, factor);
  };
