import { fftTables } from '../fft/reference.ts';
import type { NativeAddon } from '../native/addon.ts';
import type { PrepareFbank } from './index.ts';
import { ENERGY_FLOOR, fbankTables } from './reference.ts';

export const nativeFbank =
  (addon: NativeAddon): PrepareFbank =>
  options => {
    const { frameLength, frameShift, size, window, filters, frameCount } = fbankTables(options);
    const { order, cosine, sine } = fftTables(size);
    const { scale, preEmphasis, bins } = options;
    const extents = Int32Array.from(filters.flatMap(({ first, weights }) => [first, weights.length]));
    const weights = Float64Array.from(filters.flatMap(filter => [...filter.weights]));
    const plan = addon.prepareFbank(
      size,
      order,
      cosine,
      sine,
      window,
      frameShift,
      scale,
      preEmphasis,
      ENERGY_FLOOR,
      extents,
      weights,
    );
    return {
      bins,
      frameLength,
      frameShift,
      frameCount,
      apply(samples, out = new Float32Array(frameCount(samples.length) * bins)) {
        addon.fbank(plan, samples, frameCount(samples.length), out);
        return out;
      },
    };
  };
