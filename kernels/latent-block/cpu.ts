import { RuntimeError } from '../errors.ts';
import { packing, storedScales, storedValues } from '../linear/cpu.ts';
import type { NativeAddon } from '../native/addon.ts';
import { rotaryFrequencies } from '../rotary/reference.ts';
import type { CachePage } from '../latent-attention/index.ts';
import type { LatentRows, PrepareLatentBlock } from './index.ts';

const SEGMENT_FIELDS = 3;

export const nativeLatentBlock = (addon: NativeAddon): PrepareLatentBlock => {
  // All blocks read the rows of the same step one after the other: they are told about them once.
  const described = addon.createCacheRows();
  let last: LatentRows | null = null;
  let fields = new Int32Array(SEGMENT_FIELDS);
  let rowCount = 0;

  function describe(rows: LatentRows): void {
    const { segments, pageRows } = rows;
    if (fields.length < SEGMENT_FIELDS * segments.length) {
      fields = new Int32Array(2 * SEGMENT_FIELDS * segments.length);
    }
    const pages: CachePage[] = [];
    last = null;
    rowCount = 0;
    segments.forEach((segment, n) => {
      const count = Math.ceil((segment.start + segment.rows) / pageRows);
      for (let p = 0; p < count; p++) pages.push(segment.pages[p]);
      fields[SEGMENT_FIELDS * n] = segment.rows;
      fields[SEGMENT_FIELDS * n + 1] = segment.start;
      fields[SEGMENT_FIELDS * n + 2] = count;
      rowCount += segment.rows;
    });
    addon.describeCacheRows(described, fields, segments.length, pageRows, pages);
    last = rows;
  }

  return (weights, shape) => {
    const { heads, nope, rope, value, rank } = shape;
    const { queryDown, queryUp, latentDown, expansion, output } = weights;
    const hidden = output.shape[0];
    const fits =
      queryDown.shape[0] === queryUp.shape[1] &&
      queryUp.shape[0] === heads * (nope + rope) &&
      latentDown.shape[0] === rank + rope &&
      output.shape[1] === heads * value &&
      expansion.shape[0] === heads * (nope + value) &&
      expansion.shape[1] === rank;
    if (!fits) {
      const values = { tensor: expansion.name, shape: expansion.shape.join('×'), ...shape };
      throw new RuntimeError('latent-block.shape', 'The projections do not fit the heads.', values);
    }
    const matrices = [queryDown, queryUp, latentDown, output];
    const block = packing(matrices, () =>
      addon.prepareLatentBlock(
        Int32Array.of(hidden, queryDown.shape[0], heads, nope, rope, value, rank),
        matrices.map(storedValues),
        matrices.map(storedScales),
        expansion.toFloat32(),
        weights.queryNorm,
        weights.latentNorm,
        rotaryFrequencies(rope, shape.ropeBase),
        shape.normEpsilon,
      ),
    );
    return {
      apply(x, rows, offset, out) {
        if (rows !== last) describe(rows);
        const result = out ?? new Float32Array(rowCount * hidden);
        addon.latentBlock(block, described, offset, x, result);
        return result;
      },
    };
  };
};
