import type { Residual } from './index.ts';

export const residual: Residual = (x, branch, scale) => {
  if (!scale) {
    for (let i = 0; i < x.length; i++) x[i] += branch[i];
    return x;
  }
  const width = scale.length;
  for (let row = 0; row < x.length; row += width) {
    for (let i = 0; i < width; i++) x[row + i] += Math.fround(scale[i] * branch[row + i]);
  }
  return x;
};
