import type { RmsNorm } from './index.ts';

export const rmsNorm: RmsNorm = (x, rows, weight, epsilon, out = new Float32Array(rows * weight.length)) => {
  const width = weight.length;
  for (let r = 0; r < rows; r++) {
    const start = r * width;
    let squares = 0;
    for (let i = start; i < start + width; i++) squares += x[i] * x[i];
    const scale = 1 / Math.sqrt(squares / width + epsilon);
    // Normalised value first, weight second: the order of the reference implementation.
    for (let i = 0; i < width; i++) out[start + i] = weight[i] * Math.fround(x[start + i] * scale);
  }
  return out;
};
