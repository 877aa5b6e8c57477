import { INT8_LIMIT, type QuantisedWeight, roundToEven, SMALLEST_MAGNITUDE } from '../weights/index.ts';
import type { Linear } from './index.ts';

/**
 * The product over int8 weights. A row of x is brought to int8 like the weights' rows are, with its own scale; products
 * are summed exactly in integers and scaled once: y = float(Σ q·w) · (scale of the row · scale of the output) + bias,
 * every step rounded to float32. All engines and SIMD levels give the same bits; a row does not depend on its batch.
 *
 * Against exact arithmetic each of the n terms is off by at most |x|·sw/2 + |w|·sx/2 + sx·sw/4, with sx and sw the
 * scales of row and output. A row with NaN or infinity is NaN throughout; one below 2⁻¹⁰⁰ is zero.
 */
export function prepareInt8Linear(weight: QuantisedWeight, bias: Float32Array | null): Linear {
  const outputs = weight.shape[0];
  const inputs = weight.data.length / outputs;
  const { data, scales } = weight;
  const row = new Int8Array(inputs);
  return {
    inputs,
    outputs,
    apply(x, rows, out = new Float32Array(rows * outputs)) {
      for (let r = 0; r < rows; r++) {
        const scale = quantiseRow(x, r * inputs, row);
        for (let o = 0; o < outputs; o++) {
          let sum = 0;
          for (let i = 0; i < inputs; i++) sum += row[i] * data[o * inputs + i];
          const y = Math.fround(Math.fround(sum) * Math.fround(scale * scales[o]));
          out[r * outputs + o] = bias ? y + bias[o] : y;
        }
      }
      return out;
    },
  };
}

/** @returns the scale, NaN when the row is not finite */
function quantiseRow(x: Float32Array, begin: number, row: Int8Array): number {
  let largest = 0;
  for (let i = 0; i < row.length; i++) largest = Math.max(largest, Math.abs(x[begin + i]));
  row.fill(0);
  if (!Number.isFinite(largest)) return Number.NaN;
  if (largest < SMALLEST_MAGNITUDE) return 0;
  const inverse = Math.fround(INT8_LIMIT / largest);
  for (let i = 0; i < row.length; i++) row[i] = roundToEven(Math.fround(x[begin + i] * inverse));
  return Math.fround(largest / INT8_LIMIT);
}
