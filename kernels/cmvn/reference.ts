import type { Cmvn } from './index.ts';

export const cmvn: Cmvn = (x, rows, { mean, deviation }, out = new Float32Array(x.length)) => {
  const width = mean.length;
  for (let row = 0; row < rows; row++) {
    const base = row * width;
    for (let i = 0; i < width; i++) out[base + i] = (x[base + i] - mean[i]) / deviation[i];
  }
  return out;
};
