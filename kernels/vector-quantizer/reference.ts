import { RuntimeError } from '../errors.ts';
import type { PrepareVectorQuantizer, VectorQuantizerShape } from './index.ts';

/** Below this length a vector counts as zero and is not scaled up. */
const SHORTEST = 1e-12;

/**
 * The codebook as it is searched, and its rows' squared lengths.
 * @throws RuntimeError `vector-quantizer.shape`
 */
export function searchableCodebook(codebook: Float32Array, { entries, width, metric }: VectorQuantizerShape) {
  if (codebook.length !== entries * width || entries < 1) {
    throw new RuntimeError('vector-quantizer.shape', 'The codebook does not fit its shape.', {
      entries,
      width,
      values: codebook.length,
    });
  }
  const rowsOf = new Float64Array(codebook);
  const squares = new Float64Array(entries);
  for (let entry = 0; entry < entries; entry++) {
    const row = rowsOf.subarray(entry * width, (entry + 1) * width);
    if (metric === 'cosine') scaleToUnit(row);
    squares[entry] = row.reduce((sum, value) => sum + value * value, 0);
  }
  return { rowsOf, squares };
}

/** ‖x̂‖² is the same for every entry, so the nearest one minimises ‖C‖² − 2·x̂·C. */
export const prepareVectorQuantizer: PrepareVectorQuantizer = (codebook, shape) => {
  const { entries, width } = shape;
  const { rowsOf, squares } = searchableCodebook(codebook, shape);
  const unit = new Float64Array(width);

  return {
    entries,
    width,
    nearest(x, rows) {
      const indices = new Int32Array(rows);
      for (let r = 0; r < rows; r++) {
        for (let i = 0; i < width; i++) unit[i] = x[r * width + i];
        scaleToUnit(unit);
        let smallest = Number.POSITIVE_INFINITY;
        for (let entry = 0; entry < entries; entry++) {
          let dot = 0;
          for (let i = 0; i < width; i++) dot += unit[i] * rowsOf[entry * width + i];
          const distance = squares[entry] - 2 * dot;
          if (distance < smallest) {
            smallest = distance;
            indices[r] = entry;
          }
        }
      }
      return indices;
    },
  };
};

function scaleToUnit(vector: Float64Array): void {
  let squares = 0;
  for (let i = 0; i < vector.length; i++) squares += vector[i] * vector[i];
  const length = Math.max(Math.sqrt(squares), SHORTEST);
  for (let i = 0; i < vector.length; i++) vector[i] /= length;
}
