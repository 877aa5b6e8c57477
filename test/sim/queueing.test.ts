/** The device queue against theory (docs/spec/latency-data.md §7). */
import { describe, expect, it } from 'vitest';
import { createRandom, exponential, normal, type Random, VirtualClock } from '../../actors/core/index.ts';
import { Device, type Window } from '../../sim/engines/device.ts';
import { batchMeansEstimate, meanEstimate } from '../../sim/statistics/estimates.ts';

const CUSTOMERS = 30_000;
const WARM_UP = 2_000;
const RUNS = 20;
/** Fewer of 20 true 95 % intervals hold the truth in 0.3 % of all cases. */
const HOLDING = 16;
const RHO = 0.8;

/** Poisson arrivals at ρ·c, mean service 1, so that waiting times are those of the tables. */
function queue(
  servers: number,
  service: (random: Random) => number,
  seed: string,
  window?: Window,
): { readonly device: Device; readonly waits: readonly number[] } {
  const clock = new VirtualClock();
  const waits: number[] = [];
  const device = new Device('queue', servers, clock, window, job =>
    waits.push(job.startedMs - job.arrivedMs),
  );
  const random = createRandom(seed);
  const [arrivals, services] = [random.split('arrivals'), random.split('services')];
  const arrive = () => {
    device.occupy(service(services), 'customer');
    if (device.jobs < CUSTOMERS) clock.setTimer(exponential(arrivals, 1 / (RHO * servers)), arrive);
  };
  arrive();
  clock.runToCompletionSync();
  return { device, waits: waits.slice(WARM_UP) };
}

const exponentialService = (random: Random) => exponential(random, 1);
/** Lognormal of mean 1 and CV² 1.5. */
const skewedService = (random: Random) =>
  Math.exp(normal(random, -Math.log(2.5) / 2, Math.sqrt(Math.log(2.5))));

describe('the device queue', () => {
  it.each([
    ['M/M/1', 1, exponentialService, 4.0],
    ['M/D/1', 1, () => 1, 2.0],
    ['M/G/1 with CV² 1.5', 1, skewedService, 5.0],
    ['M/M/4', 4, exponentialService, 0.5964 / (4 * (1 - RHO))],
    ['M/M/8', 8, exponentialService, 0.286],
    ['M/M/16', 16, exponentialService, 0.0953],
  ])(
    'waits as %s should: the 95 percent intervals of independent runs hold the truth',
    (name, servers, service, expected) => {
      const estimates = Array.from({ length: RUNS }, (_, run) =>
        batchMeansEstimate(queue(servers, service, `${name} ${run}`).waits),
      );
      const holding = estimates.filter(({ interval }) => interval![0] < expected && expected < interval![1]);
      expect(holding.length).toBeGreaterThanOrEqual(HOLDING);
      const pooled = estimates.reduce((sum, { value }) => sum + value, 0) / RUNS;
      expect(Math.abs(pooled / expected - 1)).toBeLessThan(0.05);
    },
  );

  it.each([
    [4, 0.5964],
    [8, 0.4576],
    [16, 0.3049],
  ])('makes as many of %i servers’ customers wait as Erlang says', (servers, expected) => {
    const shares = Array.from({ length: 6 }, (_, seed) => {
      const all = queue(servers, exponentialService, `erlang ${seed}`).waits;
      return all.filter(wait => wait > 0).length / all.length;
    });
    const { interval } = meanEstimate(shares);
    expect(interval![0]).toBeLessThan(expected);
    expect(interval![1]).toBeGreaterThan(expected);
  });

  it('obeys Little’s law in any window', () => {
    const [fromMs, toMs] = [1_000, 8_000];
    const { device } = queue(4, exponentialService, 'little', { fromMs, toMs });
    const { jobs, meanQueue, meanWaitMs, utilisation } = device.statistics();
    const arrivalRate = jobs / (toMs - fromMs);
    expect(meanQueue / (arrivalRate * meanWaitMs)).toBeCloseTo(1, 2);
    expect(utilisation).toBeCloseTo(RHO, 1);
  });

  it('counts work that is under way when the window opens', () => {
    const clock = new VirtualClock();
    const device = new Device('queue', 1, clock, { fromMs: 50, toMs: 250 });
    device.occupy(100, 'job');
    device.occupy(100, 'job');
    expect(device.statistics()).toMatchObject({ utilisation: 0.75, meanQueue: 0.25, jobs: 0 });
  });
});
