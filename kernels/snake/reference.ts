import type { Snake } from './index.ts';

export const snake: Snake = (x, rows, alpha, out = new Float32Array(rows * alpha.length)) => {
  const channels = alpha.length;
  for (let c = 0; c < channels; c++) {
    const a = alpha[c];
    const scale = 1 / (a + 1e-9);
    for (let i = c; i < rows * channels; i += channels) {
      const s = Math.sin(a * x[i]);
      out[i] = x[i] + s * s * scale;
    }
  }
  return out;
};
