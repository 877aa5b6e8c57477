import { erf } from './erf.ts';
import type { Gelu } from './index.ts';

export const gelu: Gelu = (x, out = new Float32Array(x.length)) => {
  for (let i = 0; i < x.length; i++) out[i] = 0.5 * x[i] * (1 + erf(x[i] * Math.SQRT1_2));
  return out;
};
