import { asStored, type CudaDevice } from '../native/cuda/device.ts';
import { CODE_PENALTY, PENALTY_WINDOW } from '../penalty/index.ts';
import { checkCodebookHeads } from './check.ts';
import type { PrepareCodebookHeads } from './index.ts';

export const cudaCodebookHeads =
  (device: CudaDevice): PrepareCodebookHeads =>
  (heads, cascade) => {
    checkCodebookHeads(heads, cascade);
    const held = [...heads, ...cascade].map(weight => device.hold(asStored(weight)));
    const [size, width] = heads[0].shape;
    const count = heads.length;
    return {
      codeVocabSize: size,
      apply(hidden, rows, histories, logits) {
        const recent = new Int32Array(count * rows * PENALTY_WINDOW);
        const counts = new Int32Array(count * rows);
        for (let i = 0; i < count; i++) {
          for (let row = 0; row < rows; row++) {
            const last = histories[row][i].subarray(-PENALTY_WINDOW);
            recent.set(last, (i * rows + row) * PENALTY_WINDOW);
            counts[i * rows + row] = last.length;
          }
        }
        const factors = new Float64Array(rows).fill(CODE_PENALTY);
        const codes = new Int32Array(rows * count);
        const wanted = logits?.subarray(0, rows * count * size) ?? new Float32Array(0);
        const inputs = [...held, hidden.subarray(0, rows * width), recent, counts, factors];
        device.run('codebookHeads', [rows, width, size, PENALTY_WINDOW], inputs, [wanted, codes]);
        return codes;
      },
    };
  };
