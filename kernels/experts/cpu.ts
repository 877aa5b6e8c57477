import { packing, storedScales, storedValues } from '../linear/cpu.ts';
import type { NativeAddon } from '../native/addon.ts';
import type { Experts, PrepareExperts } from './index.ts';

export const nativeExperts =
  (addon: NativeAddon): PrepareExperts =>
  (weights, hidden): Experts => {
    const inner = weights.length > 0 ? weights[0].gate.shape[0] : 1;
    const matrices = weights.flatMap(({ gate, up, down }) => [gate, up, down]);
    const experts = packing(matrices, () =>
      addon.prepareExperts(
        matrices.map(storedValues),
        weights.length,
        hidden,
        inner,
        matrices.map(storedScales),
      ),
    );

    return {
      apply(x, rows, { topK, indices, weights }, out = new Float32Array(rows * hidden)) {
        addon.experts(experts, x, rows, topK, indices, weights, out);
        return out;
      },
    };
  };
