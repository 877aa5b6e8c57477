import type { Relu6 } from './index.ts';

export const relu6: Relu6 = (x, out = new Float32Array(x.length)) => {
  for (let i = 0; i < x.length; i++) out[i] = Math.min(Math.max(x[i], 0), 6);
  return out;
};
