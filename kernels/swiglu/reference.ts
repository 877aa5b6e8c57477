import type { Swiglu } from './index.ts';

export const swiglu: Swiglu = (gate, up, out = new Float32Array(gate.length)) => {
  for (let i = 0; i < gate.length; i++) out[i] = (gate[i] / (1 + Math.exp(-gate[i]))) * up[i];
  return out;
};
