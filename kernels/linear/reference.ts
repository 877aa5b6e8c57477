import { RuntimeError } from '../errors.ts';
import type { Linear, PrepareLinear } from './index.ts';
import { prepareInt8Linear } from './int8.ts';

/**
 * Every product is summed in double in the order of the inputs and rounded once, so that a row's result depends
 * neither on the other rows of a batch nor on how a prompt was cut.
 */
export const prepareLinear: PrepareLinear = (weight, bias): Linear => {
  const outputs = weight.shape[0];
  const inputs = weight.shape.slice(1).reduce((product, size) => product * size, 1);
  if (weight.shape.length < 2 || (bias && bias.length !== outputs)) {
    throw new RuntimeError('linear.shape', 'A linear layer needs a matrix and a bias of its output width.', {
      tensor: weight.name,
      shape: weight.shape.join('×'),
      bias: bias?.length,
    });
  }
  if (weight.dtype === 'i8') return prepareInt8Linear(weight, bias);
  const matrix = weight.toFloat32();
  const row = new Float64Array(inputs);

  return {
    inputs,
    outputs,
    apply(x, rows, out = new Float32Array(rows * outputs)) {
      for (let r = 0; r < rows; r++) {
        for (let i = 0; i < inputs; i++) row[i] = x[r * inputs + i];
        multiplyRow(matrix, 0, row, bias, out, r * outputs, outputs);
      }
      return out;
    },
  };
};

/**
 * `outputs` dot products of `row` with the rows of `matrix` (from `matrixOffset`), into `out` (from `outOffset`).
 * Four at a time share each input; the sums stay independent and in the order of the inputs.
 */
export function multiplyRow(
  matrix: Float32Array,
  matrixOffset: number,
  row: Float64Array,
  bias: Float32Array | null,
  out: Float32Array,
  outOffset: number,
  outputs: number,
): void {
  const inputs = row.length;
  let o = 0;
  for (; o + 4 <= outputs; o += 4) {
    const w0 = matrixOffset + o * inputs;
    const w1 = w0 + inputs;
    const w2 = w1 + inputs;
    const w3 = w2 + inputs;
    let sum0 = 0;
    let sum1 = 0;
    let sum2 = 0;
    let sum3 = 0;
    for (let i = 0; i < inputs; i++) {
      const value = row[i];
      sum0 += matrix[w0 + i] * value;
      sum1 += matrix[w1 + i] * value;
      sum2 += matrix[w2 + i] * value;
      sum3 += matrix[w3 + i] * value;
    }
    out[outOffset + o] = sum0 + (bias ? bias[o] : 0);
    out[outOffset + o + 1] = sum1 + (bias ? bias[o + 1] : 0);
    out[outOffset + o + 2] = sum2 + (bias ? bias[o + 2] : 0);
    out[outOffset + o + 3] = sum3 + (bias ? bias[o + 3] : 0);
  }
  for (; o < outputs; o++) {
    const w = matrixOffset + o * inputs;
    let sum = 0;
    for (let i = 0; i < inputs; i++) sum += matrix[w + i] * row[i];
    out[outOffset + o] = sum + (bias ? bias[o] : 0);
  }
}
