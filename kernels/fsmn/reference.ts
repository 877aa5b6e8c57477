import type { PrepareFsmn } from './index.ts';

export const prepareFsmn: PrepareFsmn = (kernel, shape) => {
  const { width, left, right, dilation } = shape;
  const taps = left + 1 + right;
  return {
    shape,
    apply(x, g, rows, out = new Float32Array(rows * width)) {
      for (let t = 0; t < rows; t++) {
        for (let i = 0; i < width; i++) {
          let memory = 0;
          for (let k = 0; k < taps; k++) memory += kernel[i * taps + k] * g[(t + k * dilation) * width + i];
          out[t * width + i] = x[t * width + i] + memory;
        }
      }
      return out;
    },
  };
};
