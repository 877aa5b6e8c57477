import { RuntimeError } from '../errors.ts';
import type { NativeAddon } from '../native/addon.ts';
import type { CachePage, LatentAttention, LatentSegment, PrepareLatentAttention } from './index.ts';

const SEGMENT_FIELDS = 5;

export const nativeLatentAttention =
  (addon: NativeAddon): PrepareLatentAttention =>
  (expansion, shape): LatentAttention => {
    const { heads, nope, rope, value, rank } = shape;
    if (expansion.shape[0] !== heads * (nope + value) || expansion.shape[1] !== rank) {
      throw new RuntimeError('latent-attention.shape', 'The expansion does not fit the heads.', {
        tensor: expansion.name,
        shape: expansion.shape.join('×'),
        ...shape,
      });
    }
    const latent = addon.prepareLatent(expansion.toFloat32(), heads, nope, rope, value, rank);
    let fields = new Int32Array(SEGMENT_FIELDS);

    return {
      apply(q, segments, out) {
        if (fields.length < segments.length * SEGMENT_FIELDS) {
          fields = new Int32Array(2 * segments.length * SEGMENT_FIELDS);
        }
        const { pages, rows } = describe(segments, fields);
        const result = out ?? new Float32Array(rows * heads * value);
        addon.latentAttention(latent, q, fields, segments.length, pages, result);
        return result;
      },
    };
  };

/** Fills `fields` and lists the pages that the segments' rows may see, and no more. */
function describe(segments: readonly LatentSegment[], fields: Int32Array) {
  const pages: CachePage[] = [];
  let rows = 0;
  segments.forEach((segment, n) => {
    const { plane, start } = segment;
    const count = Math.ceil((start + segment.rows) / plane.pageRows);
    for (let p = 0; p < count; p++) pages.push(plane.pages[p]);
    fields.set([segment.rows, start, count, plane.pageRows, plane.offset], n * SEGMENT_FIELDS);
    rows += segment.rows;
  });
  return { pages, rows };
}
