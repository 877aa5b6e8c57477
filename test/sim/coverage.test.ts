/** Intervals hold the truth as often as they say, where observations depend on one another as those of a run do. */
import { describe, expect, it } from 'vitest';
import { createRandom, normal, type Random } from '../../actors/core/index.ts';
import {
  clusteredQuantile,
  clusteredRatio,
  clusteredShare,
  clusteredWait,
  type Observation,
  quantileOverRuns,
} from '../../sim/statistics/clustered.ts';
import { type Estimate, sliceInterval } from '../../sim/statistics/estimates.ts';
import { COVERAGE_SCENARIOS, coverageOf } from '../../sim/validation/coverage.ts';

const SPAN = { fromMs: 0, toMs: 100_000 };
const RUNS = 300;

/** How much sessions, the time and nothing in common make of the spread. */
type Parts = readonly [session: number, time: number, own: number];

function observations(random: Random, [session, time, own]: Parts): Observation[] {
  const sessions = Array.from({ length: 12 }, () => session * normal(random, 0, 1));
  const stretches = Array.from({ length: 25 }, () => time * normal(random, 0, 1));
  return sessions.flatMap((ofSession, i) =>
    stretches.map((ofStretch, at) => ({
      session: `${i}`,
      atMs: (at + random.next()) * 4000,
      value: 100 + ofSession + ofStretch + own * normal(random, 0, 1),
    })),
  );
}

/** Shares of runs whose interval holds 100. */
function held(parts: Parts, estimate: (of: Observation[]) => readonly [number, number] | null): number {
  let count = 0;
  for (let run = 0; run < RUNS; run++) {
    const interval = estimate(observations(createRandom(`${parts} ${run}`), parts));
    if (interval && interval[0] <= 100 && interval[1] >= 100) count += 1;
  }
  return count / RUNS;
}

describe.each<[string, Parts]>([
  ['nothing in common', [0, 0, 10]],
  ['much in common within a session', [8, 0, 6]],
  ['much in common at a time', [0, 8, 6]],
  ['both', [6, 6, 6]],
])('with %s', (_name, parts) => {
  it('95 percent intervals of a mean hold it in 90 to 99 percent of runs', () => {
    const share = held(parts, of => clusteredRatio(of, SPAN).interval);
    expect(share).toBeGreaterThan(0.9);
    expect(share).toBeLessThan(0.99);
  });

  it('those of a median hold it too', () => {
    const share = held(parts, of => clusteredQuantile(of, 0.5, SPAN).interval);
    expect(share).toBeGreaterThan(0.9);
    expect(share).toBeLessThanOrEqual(0.995);
  });
});

it('an interval that took observations as independent would not: these do depend on one another', () => {
  const alone = (of: Observation[]) =>
    clusteredRatio(
      of.map((each, i) => ({ ...each, session: `${i}` })),
      SPAN,
    ).interval;
  expect(held([8, 0, 6], alone)).toBeLessThan(0.8);
});

it('a long tail, of which a run sees little or much, moves the bounds upwards', () => {
  const [LONG, SHARE] = [400, 0.02];
  let [holding, symmetric] = [0, 0];
  for (let run = 0; run < RUNS; run++) {
    const random = createRandom(`tail ${run}`);
    const waits = observations(random, [0, 0, 10]).map(each => ({
      ...each,
      value: each.value + (random.next() < SHARE ? LONG : 0) - SHARE * LONG,
    }));
    const { interval, value } = clusteredRatio(waits, SPAN);
    const [low, high] = interval!;
    if (low <= 100 && 100 <= high) holding += 1;
    if (Math.abs(value - 100) <= (high - low) / 2) symmetric += 1;
  }
  expect(holding).toBeGreaterThan(symmetric);
  expect(holding / RUNS).toBeGreaterThan(0.92);
});

it('waits of which a run saw no long one are known to what may have been missed, and not as if there were none', () => {
  const [BODY, LONG, GREATEST, RATE] = [800, 1700, 6000, 0.015];
  let [holding, blind] = [0, 0];
  for (let run = 0; run < RUNS; run++) {
    const random = createRandom(`unseen ${run}`);
    const waits = Array.from({ length: 96 }, (_, i) => ({
      session: `${i % 8}`,
      atMs: Math.floor(i / 8) * 8000,
      value: BODY + 25 * normal(random, 0, 1) + (random.next() < RATE ? LONG : 0),
    }));
    const truth = BODY + RATE * LONG;
    const holds = ({ interval }: Estimate) => interval![0] <= truth && truth <= interval![1];
    if (holds(clusteredWait(waits, SPAN, GREATEST))) holding += 1;
    if (holds(clusteredRatio(waits, SPAN))) blind += 1;
  }
  expect(blind / RUNS).toBeLessThan(1 - 0.5 * (1 - RATE) ** 96);
  expect(holding / RUNS).toBeGreaterThan(0.92);
  expect(holding / RUNS).toBeLessThan(0.99);
});

it('nothing that was not seen can move an estimate beyond the greatest value', () => {
  const waits = Array.from({ length: 12 }, (_, i) => ({ session: `${i}`, atMs: i * 8000, value: 800 + i }));
  const { interval, value } = clusteredWait(waits, SPAN, 6000);
  expect(interval![1]).toBeGreaterThan(value + 300);
  expect(interval![1]).toBeLessThan(value + (3 / 12) * (6000 - value));
  expect(value - interval![0]).toBeLessThan(10);
  expect(clusteredWait(waits, SPAN, 820).interval![1]).toBeLessThanOrEqual(820);
});

it('a quantile over five runs allows for what the waits of a run have in common', () => {
  const SEEN = 150;
  let [holding, independent] = [0, 0];
  for (let of = 0; of < RUNS; of++) {
    const random = createRandom(`runs ${of}`);
    const runs = Array.from({ length: 5 }, () => {
      const level = normal(random, 800, 6);
      return Array.from({ length: SEEN }, () => normal(random, level, 15));
    });
    const truth = 800;
    const holds = ({ interval }: Estimate) => interval![0] <= truth && truth <= interval![1];
    if (holds(quantileOverRuns(runs, 0.5))) holding += 1;
    const each = runs.flat().map(value => [value]);
    if (holds(quantileOverRuns(each, 0.5))) independent += 1;
  }
  expect(independent / RUNS).toBeLessThan(0.8);
  expect(holding / RUNS).toBeGreaterThan(0.92);
  expect(holding / RUNS).toBeLessThanOrEqual(0.99);
});

it('how busy a device is that is idle in few slices reaches further towards the middle', () => {
  const slices = Array.from({ length: 20 }, (_, i) => (i % 7 === 0 ? 0.85 : 1));
  const value = 0.9775;
  const [low, high] = sliceInterval(value, slices)!;
  expect(value - low).toBeGreaterThan(2 * (high - value));
  expect(
    sliceInterval(
      1,
      Array.from({ length: 20 }, () => 1),
    ),
  ).toEqual([1, 1]);
});

it('an average over time allows for slices that follow one another', () => {
  for (const correlation of [0, 0.5, 0.8]) {
    let count = 0;
    for (let run = 0; run < RUNS; run++) {
      const random = createRandom(`${correlation} ${run}`);
      let level = normal(random, 0, 1);
      const slices = Array.from({ length: 20 }, () => {
        level = correlation * level + Math.sqrt(1 - correlation ** 2) * normal(random, 0, 1);
        return level;
      });
      const centre = slices.reduce((sum, value) => sum + value, 0) / slices.length;
      const [low, high] = sliceInterval(centre, slices)!;
      if (low <= 0 && 0 <= high) count += 1;
    }
    expect(count / RUNS, `${correlation}`).toBeGreaterThan(0.86);
  }
});

describe('a share', () => {
  it.each([0, 1])('of which %d was seen everywhere still has a bound', value => {
    const all = Array.from({ length: 40 }, (_, i) => ({ session: `${i % 8}`, atMs: i * 2500, value }));
    const { interval } = clusteredShare(all, SPAN);
    expect(Math.abs(interval![1] - interval![0])).toBeCloseTo(3 / 40, 9);
  });
});

it('of a simulated run too, in short: bench -- coverage has 200 seeds of each scenario', async () => {
  expect(Object.keys(COVERAGE_SCENARIOS)).toHaveLength(4);
  const rows = await coverageOf('contended', 12, { durationS: 90, load: { sessions: 6 } });
  const within = rows.filter(({ intervals, kind }) => kind === 'within a run' && intervals > 0);
  const [held_, formed] = within.reduce(([held, all], row) => [held + row.held, all + row.intervals], [0, 0]);
  expect(formed).toBeGreaterThan(30);
  expect(held_ / formed).toBeGreaterThan(0.84);
}, 120_000);
