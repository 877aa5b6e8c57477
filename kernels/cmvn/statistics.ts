export interface CmvnStatistics {
  readonly mean: Float32Array;
  /** max(1.19e-7, standard deviation). */
  readonly deviation: Float32Array;
}

const SMALLEST_DEVIATION = 1.19e-7;

/** From the rows [Σx | count] and [Σx² | ·] of a statistics matrix (docs/spec/model.md §3.2), in double precision. */
export function cmvnStatistics(sums: readonly number[], squares: readonly number[]): CmvnStatistics {
  const bins = sums.length - 1;
  const count = sums[bins];
  const mean = Float32Array.from({ length: bins }, (_, i) => sums[i] / count);
  const deviation = Float32Array.from({ length: bins }, (_, i) => {
    const variance = squares[i] / count - (sums[i] / count) ** 2;
    return Math.max(Math.sqrt(Math.max(variance, 0)), SMALLEST_DEVIATION);
  });
  return { mean, deviation };
}
