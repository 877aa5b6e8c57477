import type { NativeAddon } from '../native/addon.ts';
import type { PrepareFft } from './index.ts';
import { fftTables } from './reference.ts';

export const nativeFft =
  (addon: NativeAddon): PrepareFft =>
  size => {
    const { order, cosine, sine } = fftTables(size);
    const plan = addon.prepareFft(size, order, cosine, sine);
    return {
      size,
      transform(frame, real, imaginary) {
        addon.fft(plan, frame, frame.length, real, imaginary);
      },
      powerSpectrum(frame, out = new Float64Array(size / 2 + 1)) {
        addon.powerSpectrum(plan, frame, frame.length, out);
        return out;
      },
    };
  };
