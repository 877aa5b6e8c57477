import { RuntimeError } from '../errors.ts';
import type { PrepareFft } from './index.ts';

/**
 * Bit-reversed order, and cos and −sin of 2πk/size for the first half.
 * @throws RuntimeError `fft.size`
 */
export function fftTables(size: number) {
  if (!Number.isInteger(Math.log2(size)) || size < 2) {
    throw new RuntimeError('fft.size', 'A transform size must be a power of two.', { size });
  }
  const order = bitReversal(size);
  const cosine = Float64Array.from({ length: size / 2 }, (_, k) => Math.cos((2 * Math.PI * k) / size));
  const sine = Float64Array.from({ length: size / 2 }, (_, k) => -Math.sin((2 * Math.PI * k) / size));
  return { order, cosine, sine };
}

/** Decimation in time, radix 2, double precision throughout. */
export const prepareFft: PrepareFft = size => {
  const { order, cosine, sine } = fftTables(size);
  const bins = size / 2 + 1;
  const re = new Float64Array(size);
  const im = new Float64Array(size);

  const run = (frame: Float64Array): void => {
    if (frame.length > size) {
      throw new RuntimeError('fft.frame', 'A frame is longer than the transform.', {
        frame: frame.length,
        size,
      });
    }
    for (let n = 0; n < size; n++) re[n] = order[n] < frame.length ? frame[order[n]] : 0;
    im.fill(0);
    butterflies(re, im, cosine, sine, size);
  };

  return {
    size,
    transform(frame, real, imaginary) {
      run(frame);
      for (let k = 0; k < bins; k++) {
        real[k] = re[k];
        imaginary[k] = im[k];
      }
    },
    powerSpectrum(frame, out = new Float64Array(bins)) {
      run(frame);
      for (let k = 0; k < bins; k++) out[k] = re[k] * re[k] + im[k] * im[k];
      return out;
    },
  };
};

function butterflies(
  re: Float64Array,
  im: Float64Array,
  cosine: Float64Array,
  sine: Float64Array,
  size: number,
): void {
  for (let half = 1; half < size; half *= 2) {
    const stride = size / (2 * half);
    for (let start = 0; start < size; start += 2 * half) {
      for (let k = 0; k < half; k++) {
        const low = start + k;
        const high = low + half;
        const c = cosine[k * stride];
        const s = sine[k * stride];
        const tr = re[high] * c - im[high] * s;
        const ti = re[high] * s + im[high] * c;
        re[high] = re[low] - tr;
        im[high] = im[low] - ti;
        re[low] += tr;
        im[low] += ti;
      }
    }
  }
}

function bitReversal(size: number): Int32Array {
  const order = new Int32Array(size);
  for (let n = 1; n < size; n++) order[n] = (order[n >> 1] >> 1) | (n & 1 ? size >> 1 : 0);
  return order;
}
