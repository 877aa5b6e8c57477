import type { CudaDevice } from '../native/cuda/device.ts';
import type { PrepareEmbedding } from './index.ts';

export const cudaEmbedding =
  (device: CudaDevice): PrepareEmbedding =>
  (tables, width) => {
    const held = tables.map(table => device.hold(table));
    const entries = tables.map(table => table.shape[0]);
    return {
      apply(ids, rows, out) {
        const inputs = [...held, ids.subarray(0, rows * tables.length)];
        device.run('embedding', [rows, width, ...entries], inputs, [out.subarray(0, rows * width)]);
      },
    };
  };
