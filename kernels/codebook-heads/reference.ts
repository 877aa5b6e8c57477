import { CODEBOOKS } from '../engine/positions.ts';
import { prepareLinear } from '../linear/reference.ts';
import { CODE_PENALTY } from '../penalty/index.ts';
import { penalise } from '../penalty/reference.ts';
import { argmax } from '../sampling/reference.ts';
import { checkCodebookHeads } from './check.ts';
import type { PrepareCodebookHeads } from './index.ts';

export const prepareCodebookHeads: PrepareCodebookHeads = (headWeights, cascadeWeights) => {
  checkCodebookHeads(headWeights, cascadeWeights);
  const heads = headWeights.map(weight => prepareLinear(weight, null));
  const cascade = cascadeWeights.map(weight => weight.toFloat32());
  const { inputs: width, outputs: size } = heads[0];

  return {
    codeVocabSize: size,
    apply(hidden, rows, histories, logitsOut) {
      const z = hidden.slice(0, rows * width);
      const codes = new Int32Array(rows * CODEBOOKS);
      heads.forEach((head, i) => {
        const logits = head.apply(z, rows);
        for (let r = 0; r < rows; r++) {
          const row = logits.subarray(r * size, (r + 1) * size);
          logitsOut?.set(row, (r * CODEBOOKS + i) * size);
          penalise(row, histories[r][i], CODE_PENALTY);
          const code = argmax(row);
          codes[r * CODEBOOKS + i] = code;
          if (i < cascade.length) addRow(z, r * width, cascade[i], code * width, width);
        }
      });
      return codes;
    },
  };
};

function addRow(out: Float32Array, to: number, table: Float32Array, from: number, width: number): void {
  for (let i = 0; i < width; i++) out[to + i] += table[from + i];
}
