import type { PrepareRotary, Rotary } from './index.ts';

/** Radians per position of each pair. */
export const rotaryFrequencies = (width: number, base: number): Float32Array =>
  Float32Array.from({ length: width / 2 }, (_, i) => 1 / Math.fround(base ** ((2 * i) / width)));

export const prepareRotary: PrepareRotary = (width, base): Rotary => {
  const pairs = width / 2;
  const frequencies = rotaryFrequencies(width, base);
  const cosines = new Float32Array(pairs);
  const sines = new Float32Array(pairs);

  return {
    apply(x, { rows, stride, offset, heads, headStride }, positions) {
      for (let r = 0; r < rows; r++) {
        for (let i = 0; i < pairs; i++) {
          // The product is rounded to float32 first: at position 100,000 that rounding is visible.
          const angle = Math.fround(positions[r] * frequencies[i]);
          cosines[i] = Math.cos(angle);
          sines[i] = Math.sin(angle);
        }
        for (let h = 0; h < heads; h++) {
          const start = r * stride + offset + h * headStride;
          for (let i = 0; i < pairs; i++) {
            const even = x[start + 2 * i];
            const odd = x[start + 2 * i + 1];
            x[start + 2 * i] = even * cosines[i] - odd * sines[i];
            x[start + 2 * i + 1] = even * sines[i] + odd * cosines[i];
          }
        }
      }
    },
  };
};
