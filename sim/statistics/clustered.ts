/**
 * Estimates within one run, whose observations are not independent: those of one session share a line and a person,
 * those of one stretch of time share the devices. The variance is that of sums over sessions plus that over stretches
 * of time, less what is in both (two-way clusters after Cameron, Gelbach and Miller, JBES 29:238, 2011), and never less
 * than that of independent observations; bounds are Student's, with the degrees of freedom that independent
 * observations and what clusters add to them have together (Satterthwaite, Biometrics Bulletin 2:110, 1946). Bounds of
 * a sum allow for its skewness by Hall's transformation (JRSS B 54:221, 1992): waits have a long tail, and a run that
 * saw little of it would be too sure of itself. Of rare long waits see `rare.ts`.
 */
import { CONFIDENCE, type Estimate, quantile } from './estimates.ts';
import { rareExcess } from './rare.ts';
import { skewnessOf, withoutSkewness } from './skewness.ts';
import { studentQuantile } from './student.ts';

export interface Observation {
  readonly value: number;
  readonly session: string;
  readonly atMs: number;
  /** What the value is a part of: an estimate is the sum of values over the sum of sizes. 1 unless given. */
  readonly size?: number;
}

interface RunStretch {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Stretches of time that a run is cut into. */
const STRETCHES = 12;
/** Fewer clusters of either kind say too little. */
const LEAST_CLUSTERS = 5;
const LEAST_OBSERVATIONS = 10;
/** Of `n` observations of which none is of a kind, this many divided by n may be (95 %): the rule of three. */
const MAY_BE_UNSEEN = 3;

/** Sum of values over sum of sizes: a mean, or a share. */
export function clusteredRatio(observations: readonly Observation[], span: RunStretch): Estimate {
  const size = observations.reduce((sum, each) => sum + (each.size ?? 1), 0);
  const n = size;
  if (size === 0) return { n: 0, value: Number.NaN, interval: null };
  const value = observations.reduce((sum, each) => sum + each.value, 0) / size;
  const residuals = observations.map(each => each.value - value * (each.size ?? 1));
  const spread = spreadOf(observations, residuals, span);
  if (!spread) return { n, value, interval: null };
  const scale = Math.sqrt(spread.variance) / size;
  const skewness = skewnessOf(residuals);
  const bound = (point: number) => value - scale * withoutSkewness(point, skewness);
  return { n, value, interval: [bound(spread.studentPoint), bound(-spread.studentPoint)] };
}

/**
 * A mean of waits, of which few are long.
 * @param greatest no wait can be longer
 */
export function clusteredWait(
  observations: readonly Observation[],
  span: RunStretch,
  greatest: number,
): Estimate {
  if (observations.length === 0) return { n: 0, value: Number.NaN, interval: null };
  const rare = rareExcess(
    observations.map(({ value }) => value),
    greatest,
  );
  const rest = clusteredRatio(
    observations.map(each => ({ ...each, value: Math.min(each.value, rare.fence) })),
    span,
  );
  const value = rest.value + rare.mean;
  if (!rest.interval) return { n: rest.n, value, interval: null };
  const [low, high] = rest.interval;
  return {
    n: rest.n,
    value,
    interval: [
      value - Math.hypot(rest.value - low, rare.lessBy),
      Math.min(greatest, value + Math.hypot(high - rest.value, rare.moreBy)),
    ],
  };
}

/**
 * As `clusteredRatio` of something between 0 and 1. Where all or nothing was seen, the rule of three gives the bound.
 */
export function clusteredShare(observations: readonly Observation[], span: RunStretch): Estimate {
  const { n, value, interval } = clusteredRatio(observations, span);
  if (n === 0) return { n, value, interval: null };
  const unseen = Math.min(1, MAY_BE_UNSEEN / n);
  if (value <= 0) return { n, value, interval: [0, unseen] };
  if (value >= 1) return { n, value, interval: [1 - unseen, 1] };
  return { n, value, interval: interval && [Math.max(0, interval[0]), Math.min(1, interval[1])] };
}

/** The interval is between the quantiles at the shares that the share below the value may really be. */
export function clusteredQuantile(
  observations: readonly Observation[],
  share: number,
  span: RunStretch,
): Estimate {
  const sorted = observations.map(({ value }) => value).sort((a, b) => a - b);
  const n = sorted.length;
  const value = quantile(sorted, share);
  if (n < LEAST_OBSERVATIONS) return { n, value, interval: null };
  // Half of those that are the value itself count as below, so that a tie moves nothing.
  const below = observations.map((each): number => (each.value < value ? 1 : each.value > value ? 0 : 0.5));
  const centre = below.reduce((sum, one) => sum + one, 0) / n;
  const residuals = below.map(one => one - centre);
  const spread = spreadOf(observations, residuals, span);
  if (!spread) return { n, value, interval: null };
  // Ties hide spread: never less than that of independent observations at this share.
  const variance = Math.max(spread.variance, n * share * (1 - share));
  return { n, value, interval: orderBounds(sorted, share, spread.studentPoint * Math.sqrt(variance)) };
}

/**
 * The same over several runs, each of which is one value: of the share of its observations that lie below. A mean of
 * quantiles would be another thing, and its law is far from normal where one run in three sees a rare wait.
 */
export function quantileOverRuns(runs: readonly (readonly number[])[], share: number): Estimate {
  const told = runs.filter(({ length }) => length > 0);
  const sorted = told.flat().sort((a, b) => a - b);
  const [n, value] = [told.length, quantile(sorted, share)];
  if (n < 2) return { n, value, interval: null };
  const below = (of: readonly number[]) =>
    of.reduce((sum, each) => sum + (each < value ? 1 : each > value ? 0 : 0.5), 0);
  const centre = below(sorted) / sorted.length;
  const squares = told.reduce((sum, of) => sum + (below(of) - centre * of.length) ** 2, 0);
  const variance = Math.max((squares * n) / (n - 1), sorted.length * share * (1 - share));
  const half = studentQuantile((1 + CONFIDENCE) / 2, n - 1) * Math.sqrt(variance);
  return { n, value, interval: orderBounds(sorted, share, half) };
}

/**
 * The values between which a quantile lies when as many more or fewer as `half` may lie below it; between two of them
 * in proportion, with the half that a count lacks. Null where they lie beyond what was seen.
 */
function orderBounds(sorted: readonly number[], share: number, half: number): Estimate['interval'] {
  const middle = share * sorted.length - 0.5;
  const [low, high] = [middle - half, middle + half];
  if (low < 0 || high > sorted.length - 1) return null;
  const at = (place: number) => quantile(sorted, place / (sorted.length - 1));
  return [at(low), at(high)];
}

function spreadOf(
  observations: readonly Observation[],
  residuals: readonly number[],
  { fromMs, toMs }: RunStretch,
): { readonly variance: number; readonly studentPoint: number } | null {
  const stretchMs = (toMs - fromMs) / STRETCHES;
  const sessions = new Map<string, number>();
  const stretches = new Map<number, number>();
  const both = new Map<string, number>();
  let alone = 0;
  observations.forEach(({ session, atMs }, i) => {
    const residual = residuals[i];
    const stretch = Math.min(STRETCHES - 1, Math.max(0, Math.floor((atMs - fromMs) / stretchMs)));
    add(sessions, session, residual);
    add(stretches, stretch, residual);
    add(both, `${stretch} ${session}`, residual);
    alone += residual ** 2;
  });
  const groups = [sessions, stretches].filter(({ size }) => size >= LEAST_CLUSTERS);
  if (groups.length === 0 || observations.length < LEAST_OBSERVATIONS) return null;
  const squares = (clusters: ReadonlyMap<unknown, number>) =>
    [...clusters.values()].reduce((sum, total) => sum + total ** 2, 0);
  const correction = (clusters: ReadonlyMap<unknown, number>) => clusters.size / (clusters.size - 1);
  const each = groups.map(clusters => squares(clusters) * correction(clusters));
  const twoWay = groups.length === 2 ? each[0] + each[1] - squares(both) : each[0];
  const added = Math.max(0, twoWay - alone);
  const variance = alone + added;
  const ofAdded = added ** 2 / (Math.min(...groups.map(({ size }) => size)) - 1);
  const degrees = variance > 0 ? variance ** 2 / (alone ** 2 / (observations.length - 1) + ofAdded) : 1;
  return { variance, studentPoint: studentQuantile((1 + CONFIDENCE) / 2, Math.max(1, degrees)) };
}

function add<K>(sums: Map<K, number>, key: K, value: number): void {
  sums.set(key, (sums.get(key) ?? 0) + value);
}
