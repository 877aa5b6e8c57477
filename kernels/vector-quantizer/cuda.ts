import type { CudaDevice } from '../native/cuda/device.ts';
import { columnsOf } from './cpu.ts';
import type { PrepareVectorQuantizer } from './index.ts';
import { searchableCodebook } from './reference.ts';

export const cudaVectorQuantizer =
  (device: CudaDevice): PrepareVectorQuantizer =>
  (codebook, shape) => {
    const { entries, width } = shape;
    const { rowsOf, squares } = searchableCodebook(codebook, shape);
    const columns = columnsOf(rowsOf, entries);
    return {
      entries,
      width,
      nearest(x, rows) {
        const indices = new Int32Array(rows);
        const inputs = [columns, squares, x.subarray(0, rows * width)];
        device.run('vectorQuantizer', [rows, entries, width], inputs, [indices]);
        return indices;
      },
    };
  };
