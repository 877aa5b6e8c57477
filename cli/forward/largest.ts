/**
 * Index of the largest value, the first of equals; −1 where there is none. In place of `Math.max(...values)`, which is
 * a call with an argument per value: a row of a full vocabulary is more than a call can have.
 */
export function indexOfLargest(values: ArrayLike<number>): number {
  let best = -1;
  for (let i = 0; i < values.length; i++) if (best < 0 || values[i] > values[best]) best = i;
  return best;
}
