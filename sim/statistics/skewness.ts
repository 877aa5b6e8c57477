/** Bounds of a sum that is not symmetric: Hall's transformation (JRSS B 54:221, 1992). */

/** Less makes no difference, and is divided by. */
const LEAST_SKEWNESS = 1e-4;

/** Of the sum of independent residuals, as far as they show it. */
export function skewnessOf(residuals: readonly number[]): number {
  const [squares, cubes] = residuals.reduce(
    ([two, three], one) => [two + one ** 2, three + one ** 3],
    [0, 0],
  );
  return squares > 0 ? cubes / squares ** 1.5 : 0;
}

/** The transformation backwards: where a statistic with this skewness lies when one without it lies at `point`. */
export function withoutSkewness(point: number, skewness: number): number {
  if (Math.abs(skewness) < LEAST_SKEWNESS) return point;
  return (3 / skewness) * (Math.cbrt(1 + skewness * (point - skewness / 6)) - 1);
}
