import type { CudaDevice } from '../native/cuda/device.ts';
import { turnTable } from './cpu.ts';
import type { Rotary2d } from './index.ts';

export const cudaRotary2d =
  (device: CudaDevice): Rotary2d =>
  (x, grid, heads, headDim, base, out = new Float32Array(x.length)) => {
    if (out !== x) out.set(x);
    const turns = turnTable(Math.max(grid.rows, grid.columns), headDim / 4, base);
    device.run('rotary2d', [grid.rows, grid.columns, heads, headDim], [turns], [], [out]);
    return out;
  };
