import { packWeight } from '../linear/cpu.ts';
import type { NativeAddon } from '../native/addon.ts';
import type { PrepareFeedForward } from './index.ts';

export const nativeFeedForward =
  (addon: NativeAddon): PrepareFeedForward =>
  weights => {
    const gate = packWeight(addon, weights.gate, null);
    const up = packWeight(addon, weights.up, null);
    const down = packWeight(addon, weights.down, null);
    return {
      apply(x, rows, out = new Float32Array(rows * down.outputs)) {
        addon.feedForward(gate.matrix, up.matrix, down.matrix, x, rows, out);
        return out;
      },
    };
  };
