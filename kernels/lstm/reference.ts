import { prepareLinear } from '../linear/reference.ts';
import { createWeight } from '../weights/index.ts';
import type { PrepareLstm } from './index.ts';

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));

/** Both products of a gate are one linear layer over [x | h]; gates in double, h and c stored in float32. */
export const prepareLstm: PrepareLstm = ({
  inputs,
  hidden,
  inputWeight,
  recurrentWeight,
  inputBias,
  recurrentBias,
}) => {
  const width = inputs + hidden;
  const matrix = new Float32Array(4 * hidden * width);
  for (let row = 0; row < 4 * hidden; row++) {
    matrix.set(inputWeight.subarray(row * inputs, (row + 1) * inputs), row * width);
    matrix.set(recurrentWeight.subarray(row * hidden, (row + 1) * hidden), row * width + inputs);
  }
  const bias = inputBias.map((value, row) => value + recurrentBias[row]);
  const linear = prepareLinear(createWeight('lstm', [4 * hidden, width], 'f32', matrix), bias);
  const joined = new Float32Array(width);
  const gates = new Float32Array(4 * hidden);

  return {
    inputs,
    hidden,
    apply(x, rows, { h, c }, out = new Float32Array(rows * hidden)) {
      for (let t = 0; t < rows; t++) {
        joined.set(x.subarray(t * inputs, (t + 1) * inputs));
        joined.set(h, inputs);
        linear.apply(joined, 1, gates);
        for (let n = 0; n < hidden; n++) {
          const kept = sigmoid(gates[hidden + n]) * c[n];
          c[n] = kept + sigmoid(gates[n]) * Math.tanh(gates[2 * hidden + n]);
          h[n] = sigmoid(gates[3 * hidden + n]) * Math.tanh(c[n]);
        }
        out.set(h, t * hidden);
      }
      return out;
    },
  };
};
