import { prepareLinear } from '../linear/reference.ts';
import { swiglu } from '../swiglu/reference.ts';
import type { Experts, ExpertWeights, PrepareExperts } from './index.ts';

/** Rows are grouped by expert, so that each expert's weights are read once per batch. */
export const prepareExperts: PrepareExperts = (weights, hidden): Experts => {
  const experts = weights.map(prepareExpert);

  return {
    apply(x, rows, { topK, indices, weights }, out = new Float32Array(rows * hidden)) {
      out.fill(0, 0, rows * hidden);
      const slots = Array.from(indices, (_, slot) => slot);
      // Stable: slots of one expert stay in the order of the rows, and a row meets its experts in ascending order.
      slots.sort((a, b) => indices[a] - indices[b]);
      for (let begin = 0; begin < slots.length; ) {
        const expert = indices[slots[begin]];
        let end = begin;
        while (end < slots.length && indices[slots[end]] === expert) end++;
        const group = slots.slice(begin, end);
        const inputs = gather(x, group, topK, hidden);
        const outputs = expert < experts.length ? experts[expert](inputs, group.length) : inputs;
        group.forEach((slot, g) => {
          addScaled(out, Math.floor(slot / topK) * hidden, outputs, g * hidden, hidden, weights[slot]);
        });
        begin = end;
      }
      return out;
    },
  };
};

function prepareExpert({ gate, up, down }: ExpertWeights): (x: Float32Array, rows: number) => Float32Array {
  const gateLinear = prepareLinear(gate, null);
  const upLinear = prepareLinear(up, null);
  const downLinear = prepareLinear(down, null);
  return (x, rows) => {
    const inner = gateLinear.apply(x, rows);
    return downLinear.apply(swiglu(inner, upLinear.apply(x, rows), inner), rows);
  };
}

function gather(x: Float32Array, slots: readonly number[], topK: number, width: number): Float32Array {
  const out = new Float32Array(slots.length * width);
  slots.forEach((slot, g) => {
    const row = Math.floor(slot / topK);
    out.set(x.subarray(row * width, (row + 1) * width), g * width);
  });
  return out;
}

function addScaled(
  out: Float32Array,
  to: number,
  x: Float32Array,
  from: number,
  width: number,
  factor: number,
): void {
  for (let i = 0; i < width; i++) out[to + i] += Math.fround(factor * x[from + i]);
}
