import type { CachePage } from '../latent-attention/index.ts';
import { int8RowElements, writeInt8Row } from '../latent-attention/int8-rows.ts';
import { prepareLatentAttention } from '../latent-attention/reference.ts';
import { prepareLinear } from '../linear/reference.ts';
import { rmsNorm } from '../rms-norm/reference.ts';
import { prepareRotary } from '../rotary/reference.ts';
import { float32ToBfloat16 } from '../weights/index.ts';
import type { LatentRows, PrepareLatentBlock } from './index.ts';

export const prepareLatentBlock: PrepareLatentBlock = (weights, shape) => {
  const { heads, nope, rope, rank, normEpsilon } = shape;
  const [queryDown, queryUp, latentDown, output] = [
    weights.queryDown,
    weights.queryUp,
    weights.latentDown,
    weights.output,
  ].map(weight => prepareLinear(weight, null));
  const attention = prepareLatentAttention(weights.expansion, shape);
  const rotary = prepareRotary(rope, shape.ropeBase);
  const cached = rank + rope;
  const headStride = nope + rope;

  return {
    apply(x, { segments, pageRows }, offset, out) {
      const positions = positionsOf(segments);
      const rows = positions.length;
      const down = latentDown.apply(x, rows);
      rotary.apply(down, { rows, stride: cached, offset: rank, heads: 1, headStride: rope }, positions);
      let row = 0;
      for (const { start, rows, pages } of segments) {
        for (let position = start; position < start + rows; position++, row++) {
          const from = down.subarray(row * cached, (row + 1) * cached);
          rmsNorm(from.subarray(0, rank), 1, weights.latentNorm, normEpsilon, from.subarray(0, rank));
          const page = pages[Math.floor(position / pageRows)];
          writeRow(page, offset, position % pageRows, from, rank);
        }
      }
      const narrow = queryDown.apply(x, rows);
      const q = queryUp.apply(rmsNorm(narrow, rows, weights.queryNorm, normEpsilon, narrow), rows);
      rotary.apply(q, { rows, stride: heads * headStride, offset: nope, heads, headStride }, positions);
      const views = segments.map(({ start, rows, pages }) => ({
        start,
        rows,
        plane: { pages, pageRows, offset },
      }));
      return output.apply(attention.apply(q, views), rows, out);
    },
  };
};

function writeRow(page: CachePage, offset: number, row: number, values: Float32Array, rank: number): void {
  if (page instanceof Int8Array)
    writeInt8Row(page, offset + row * int8RowElements(values.length), values, rank);
  else
    page.set(page instanceof Uint16Array ? float32ToBfloat16(values) : values, offset + row * values.length);
}

const positionsOf = (segments: LatentRows['segments']): Int32Array =>
  Int32Array.from(segments.flatMap(({ start, rows }) => Array.from({ length: rows }, (_, r) => start + r)));
