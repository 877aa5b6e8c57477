import { RuntimeError } from '../errors.ts';
import { multiplyRow } from '../linear/reference.ts';
import { bfloat16ToFloat32 } from '../weights/index.ts';
import { readInt8Rows } from './int8-rows.ts';
import type {
  LatentAttention,
  LatentPlane,
  LatentSegment,
  LatentShape,
  PrepareLatentAttention,
} from './index.ts';

/** Sums in double, in the order of the cache; scores and weights are kept in float32. */
export const prepareLatentAttention: PrepareLatentAttention = (expansion, shape): LatentAttention => {
  const { heads, nope, rope, value, rank } = shape;
  if (expansion.shape[0] !== heads * (nope + value) || expansion.shape[1] !== rank) {
    throw new RuntimeError('latent-attention.shape', 'The expansion does not fit the heads.', {
      tensor: expansion.name,
      shape: expansion.shape.join('×'),
      ...shape,
    });
  }
  const head = new Head(expansion.toFloat32(), shape);

  return {
    apply(q, segments, out = new Float32Array(totalRows(segments) * heads * value)) {
      let row = 0;
      for (const { rows, start, plane: stored } of segments) {
        const plane = inFloats(stored, start + rows, rank, rope);
        for (let r = 0; r < rows; r++, row++) {
          for (let h = 0; h < heads; h++) {
            const index = row * heads + h;
            head.attend(h, q, index * (nope + rope), plane, start + r + 1, out, index * value);
          }
        }
      }
      return out;
    },
  };
};

interface FloatPlane extends LatentPlane {
  readonly pages: readonly Float32Array[];
}

/** The first `length` rows as floats. */
function inFloats(
  { pages, pageRows, offset }: LatentPlane,
  length: number,
  rank: number,
  rope: number,
): FloatPlane {
  const width = rank + rope;
  const floats = pages.slice(0, Math.ceil(length / pageRows)).map(page => {
    if (page instanceof Int8Array) return readInt8Rows(page, offset, pageRows, width, rank);
    const rows = page.subarray(offset, offset + pageRows * width);
    return rows instanceof Uint16Array ? bfloat16ToFloat32(rows) : rows;
  });
  return { pages: floats, pageRows, offset: 0 };
}

function totalRows(segments: readonly LatentSegment[]): number {
  return segments.reduce((sum, segment) => sum + segment.rows, 0);
}

/** One query vector against one plane; the scratch vectors are shared by all calls. */
class Head {
  readonly #expansion: Float32Array;
  readonly #shape: LatentShape;
  /** Query as seen by a cache row: [nope part mapped into the latent space | rope part]. */
  readonly #query: Float64Array;
  readonly #mixed: Float64Array;
  /** Scores, then softmax weights, of one query. */
  #weights = new Float32Array(256);

  constructor(expansion: Float32Array, shape: LatentShape) {
    this.#expansion = expansion;
    this.#shape = shape;
    this.#query = new Float64Array(shape.rank + shape.rope);
    this.#mixed = new Float64Array(shape.rank);
  }

  attend(
    h: number,
    q: Float32Array,
    at: number,
    plane: FloatPlane,
    length: number,
    out: Float32Array,
    to: number,
  ) {
    const { nope, value } = this.#shape;
    this.#absorbQuery(h * (nope + value), q, at);
    this.#scoreRows(plane, length);
    softmax(this.#weights, length);
    this.#mixRows(plane, length);
    this.#expandValue(h * (nope + value) + nope, out, to);
  }

  /** Scaled here, so that scores need no factor of their own. */
  #absorbQuery(firstRow: number, q: Float32Array, at: number): void {
    const { nope, rope, rank } = this.#shape;
    const expansion = this.#expansion;
    const query = this.#query.fill(0);
    const scale = (nope + rope) ** -0.5;
    for (let n = 0; n < nope; n++) {
      const row = (firstRow + n) * rank;
      const factor = q[at + n] * scale;
      for (let i = 0; i < rank; i++) query[i] += factor * expansion[row + i];
    }
    for (let i = 0; i < rope; i++) query[rank + i] = q[at + nope + i] * scale;
  }

  #scoreRows(plane: FloatPlane, length: number): void {
    const query = this.#query;
    if (this.#weights.length < length) this.#weights = new Float32Array(2 * length);
    for (let j = 0; j < length; j += plane.pageRows) {
      const page = plane.pages[j / plane.pageRows];
      const rows = Math.min(length - j, plane.pageRows);
      multiplyRow(page, plane.offset, query, null, this.#weights, j, rows);
    }
  }

  #mixRows(plane: FloatPlane, length: number): void {
    const { rank, rope } = this.#shape;
    const width = rank + rope;
    const weights = this.#weights;
    const mixed = this.#mixed.fill(0);
    for (let j = 0; j < length; j += plane.pageRows) {
      const page = plane.pages[j / plane.pageRows];
      const rows = Math.min(length - j, plane.pageRows);
      for (let k = 0; k < rows; k++) {
        const row = plane.offset + k * width;
        const weight = weights[j + k];
        for (let i = 0; i < rank; i++) mixed[i] += weight * page[row + i];
      }
    }
  }

  #expandValue(firstRow: number, out: Float32Array, to: number): void {
    const { value, rank } = this.#shape;
    const expansion = this.#expansion;
    const mixed = this.#mixed;
    for (let v = 0; v < value; v++) {
      const row = (firstRow + v) * rank;
      let sum = 0;
      for (let i = 0; i < rank; i++) sum += expansion[row + i] * mixed[i];
      out[to + v] = sum;
    }
  }
}

function softmax(values: Float32Array, length: number): void {
  let max = Number.NEGATIVE_INFINITY;
  for (let j = 0; j < length; j++) if (values[j] > max) max = values[j];
  let sum = 0;
  for (let j = 0; j < length; j++) {
    values[j] = Math.exp(values[j] - max);
    sum += values[j];
  }
  for (let j = 0; j < length; j++) values[j] /= sum;
}
