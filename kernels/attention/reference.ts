import type { Attention } from './index.ts';

/** Scores, softmax and the weighted sum are accumulated in double precision and rounded once per output. */
export const attention: Attention = (q, k, v, rows, heads, headDim, scale, out) => {
  const width = heads * headDim;
  const result = out ?? new Float32Array(rows * width);
  const keys = new Float64Array(rows * headDim);
  const values = new Float64Array(rows * headDim);
  const query = new Float64Array(headDim);
  const weights = new Float64Array(rows);
  const sum = new Float64Array(headDim);
  for (let head = 0; head < heads; head++) {
    const column = head * headDim;
    gatherHead(k, keys, rows, width, column, headDim);
    gatherHead(v, values, rows, width, column, headDim);
    for (let row = 0; row < rows; row++) {
      const at = row * width + column;
      for (let d = 0; d < headDim; d++) query[d] = q[at + d] * scale;
      softmaxOfScores(query, keys, weights, rows, headDim);
      weightedSum(weights, values, sum, rows, headDim);
      result.set(sum, at);
    }
  }
  return result;
};

/** One head's columns, made contiguous. */
function gatherHead(
  from: Float32Array,
  to: Float64Array,
  rows: number,
  width: number,
  column: number,
  headDim: number,
): void {
  for (let row = 0; row < rows; row++) {
    const at = row * width + column;
    to.set(from.subarray(at, at + headDim), row * headDim);
  }
}

function softmaxOfScores(
  query: Float64Array,
  keys: Float64Array,
  weights: Float64Array,
  rows: number,
  headDim: number,
): void {
  const blocked = rows - (rows % 4);
  for (let j = 0; j < blocked; j += 4) {
    // Four keys at a time: four independent sums hide the latency of the additions.
    const first = j * headDim;
    let [a, b, c, e] = [0, 0, 0, 0];
    for (let d = 0, at = first; d < headDim; d++, at++) {
      const value = query[d];
      a += value * keys[at];
      b += value * keys[at + headDim];
      c += value * keys[at + 2 * headDim];
      e += value * keys[at + 3 * headDim];
    }
    weights[j] = a;
    weights[j + 1] = b;
    weights[j + 2] = c;
    weights[j + 3] = e;
  }
  for (let j = blocked; j < rows; j++) {
    let score = 0;
    for (let d = 0; d < headDim; d++) score += query[d] * keys[j * headDim + d];
    weights[j] = score;
  }
  softmaxInPlace(weights, rows);
}

function softmaxInPlace(weights: Float64Array, rows: number): void {
  let highest = -Infinity;
  for (let j = 0; j < rows; j++) if (weights[j] > highest) highest = weights[j];
  let total = 0;
  for (let j = 0; j < rows; j++) total += weights[j] = Math.exp(weights[j] - highest);
  const norm = 1 / total;
  for (let j = 0; j < rows; j++) weights[j] *= norm;
}

function weightedSum(
  weights: Float64Array,
  values: Float64Array,
  sum: Float64Array,
  rows: number,
  headDim: number,
): void {
  sum.fill(0);
  const blocked = rows - (rows % 4);
  for (let j = 0; j < blocked; j += 4) {
    const [a, b, c, e] = [weights[j], weights[j + 1], weights[j + 2], weights[j + 3]];
    for (let d = 0, at = j * headDim; d < headDim; d++, at++) {
      sum[d] +=
        a * values[at] +
        b * values[at + headDim] +
        c * values[at + 2 * headDim] +
        e * values[at + 3 * headDim];
    }
  }
  for (let j = blocked; j < rows; j++) {
    for (let d = 0; d < headDim; d++) sum[d] += weights[j] * values[j * headDim + d];
  }
}
