import { describeCache, PART_ROWS } from '../latent-attention/cuda.ts';
import { asStored, type CudaDevice } from '../native/cuda/device.ts';
import { rotaryFrequencies } from '../rotary/reference.ts';
import type { PrepareLatentBlock } from './index.ts';

/** On copies of the pages, which come back: for one block on its own. A model keeps its pages on the device. */
export const cudaLatentBlock =
  (device: CudaDevice): PrepareLatentBlock =>
  (weights, shape) => {
    const { heads, nope, rope, value, rank } = shape;
    const { queryDown, queryUp, latentDown, expansion, output } = weights;
    const matrices = [queryDown, queryUp, latentDown, expansion, output].map(weight =>
      device.hold(asStored(weight)),
    );
    const frequencies = rotaryFrequencies(rope, shape.ropeBase);
    const [queryRank, hidden] = queryDown.shape;

    return {
      apply(x, { segments, pageRows }, offset, out) {
        const cache = describeCache(segments, pageRows);
        const { rows } = cache;
        const result = out ?? new Float32Array(rows * hidden);
        device.run(
          'latentBlock',
          [
            ...[rows, heads, nope, rope, value, rank, pageRows, cache.pageNumbers, offset],
            ...[cache.tableStride, PART_ROWS, cache.longest, hidden, queryRank, shape.normEpsilon],
          ],
          [
            ...[...matrices, weights.queryNorm, weights.latentNorm, frequencies],
            ...[x.subarray(0, rows * hidden), cache.sequences, cache.positions, cache.table],
          ],
          [result.subarray(0, rows * hidden)],
          [cache.pages],
        );
        let next = 0;
        for (const { start, rows: count, pages } of segments) {
          for (let p = 0; p < Math.ceil((start + count) / pageRows); p++, next++) {
            pages[p].set(cache.pages.subarray(next * cache.pageNumbers, (next + 1) * cache.pageNumbers));
          }
        }
        return result;
      },
    };
  };
