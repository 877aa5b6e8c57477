/** One array holding the rows of both, `first` on top. */
export function joinRows(first: Float32Array, second: Float32Array): Float32Array {
  const joined = new Float32Array(first.length + second.length);
  joined.set(first);
  joined.set(second, first.length);
  return joined;
}

/** `before` and `after` rows of zeros around x [rows × width]. */
export function padRows(x: Float32Array, width: number, before: number, after: number): Float32Array {
  const padded = new Float32Array(x.length + (before + after) * width);
  padded.set(x, before * width);
  return padded;
}
