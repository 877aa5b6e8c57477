import { prepareLinear } from '../linear/reference.ts';
import { swiglu } from '../swiglu/reference.ts';
import type { PrepareFeedForward } from './index.ts';

export const prepareFeedForward: PrepareFeedForward = weights => {
  const gate = prepareLinear(weights.gate, null);
  const up = prepareLinear(weights.up, null);
  const down = prepareLinear(weights.down, null);
  return {
    apply(x, rows, out) {
      const inner = gate.apply(x, rows);
      return down.apply(swiglu(inner, up.apply(x, rows), inner), rows, out);
    },
  };
};
