import type { PrepareDoubleLinear } from './index.ts';

/** Four rows at a time: each keeps its own order of adding, and none waits for another's sum. */
export const prepareDoubleLinear: PrepareDoubleLinear = (matrix, bias) => {
  const rows = bias.length;
  const width = matrix.length / rows;
  return {
    apply(x, out) {
      for (let row = 0; row < rows; row += 4) {
        const at = row * width;
        let [a, b, c, d] = [bias[row], bias[row + 1], bias[row + 2], bias[row + 3]];
        for (let i = 0; i < width; i++) {
          const value = x[i];
          a += matrix[at + i] * value;
          b += matrix[at + width + i] * value;
          c += matrix[at + 2 * width + i] * value;
          d += matrix[at + 3 * width + i] * value;
        }
        out[row] = a;
        out[row + 1] = b;
        out[row + 2] = c;
        out[row + 3] = d;
      }
      return out;
    },
  };
};
