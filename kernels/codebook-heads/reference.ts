import { CODEBOOKS } from '../engine/positions.ts';
import { RuntimeError } from '../errors.ts';
import type { PrepareLinear } from '../linear/index.ts';
import { prepareLinear } from '../linear/reference.ts';
import { CODE_PENALTY, type Penalise } from '../penalty/index.ts';
import { penalise } from '../penalty/reference.ts';
import { argmax } from '../sampling/reference.ts';
import type { CodebookHeads, PrepareCodebookHeads } from './index.ts';

interface CodebookParts {
  readonly linear: PrepareLinear;
  readonly penalise: Penalise;
  readonly argmax: (values: Float32Array) => number;
}

/** The cascade over an engine's own linear layer, penalty and arg-max. */
export const codebookHeadsOver =
  ({ linear, penalise, argmax }: CodebookParts): PrepareCodebookHeads =>
  (headWeights, cascadeWeights): CodebookHeads => {
    if (headWeights.length !== CODEBOOKS || cascadeWeights.length !== CODEBOOKS - 1) {
      const values = { heads: headWeights.length, cascade: cascadeWeights.length };
      throw new RuntimeError(
        'codebook-heads.shape',
        'There are four code heads and three cascade tables.',
        values,
      );
    }
    const heads = headWeights.map(weight => linear(weight, null));
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

export const prepareCodebookHeads = codebookHeadsOver({ linear: prepareLinear, penalise, argmax });

function addRow(out: Float32Array, to: number, table: Float32Array, from: number, width: number): void {
  for (let i = 0; i < width; i++) out[to + i] += table[from + i];
}
