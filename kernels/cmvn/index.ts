import type { CmvnStatistics } from './statistics.ts';

export { type CmvnStatistics, cmvnStatistics } from './statistics.ts';

/**
 * Global mean and variance normalisation (docs/spec/model.md §3.2): out = (x − mean) / deviation, per column.
 * x is [rows × width], `statistics` has one mean and one deviation per column; `out` may be `x`.
 */
export type Cmvn = (
  x: Float32Array,
  rows: number,
  statistics: CmvnStatistics,
  out?: Float32Array,
) => Float32Array;
