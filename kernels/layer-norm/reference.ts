import type { LayerNorm } from './index.ts';

/** Sums in double precision, two passes: the variance is taken around the mean. */
export const layerNorm: LayerNorm = (
  x,
  rows,
  weight,
  bias,
  eps,
  out = new Float32Array(rows * weight.length),
) => {
  const width = weight.length;
  for (let row = 0; row < rows; row++) {
    const base = row * width;
    let sum = 0;
    for (let i = 0; i < width; i++) sum += x[base + i];
    const mean = sum / width;
    let squares = 0;
    for (let i = 0; i < width; i++) squares += (x[base + i] - mean) ** 2;
    const scale = 1 / Math.sqrt(squares / width + eps);
    for (let i = 0; i < width; i++) out[base + i] = (x[base + i] - mean) * scale * weight[i] + bias[i];
  }
  return out;
};
