/** The queue that every simulated engine occupies, against queueing theory (docs/spec/latency-data.md §7). */
import { createRandom, exponential, normal, type Random, VirtualClock } from '../../actors/core/index.ts';
import { Device } from '../engines/device.ts';
import { type Estimate, mean, meanEstimate } from '../statistics/estimates.ts';

export interface TheoryCheck {
  readonly system: string;
  readonly expected: number;
  /** Mean wait over independent runs, in mean services. */
  readonly simulated: Estimate;
}

export const RHO = 0.8;
const CUSTOMERS = 30_000;
const WARM_UP = 2000;
const RUNS = 20;
/** P(wait) of docs/spec/latency-data.md §7 over c (1 − ρ). */
const waitOf = (servers: number, waits: number) => waits / (servers * (1 - RHO));

type ServiceLaw = (random: Random) => number;
const exponentialService: ServiceLaw = random => exponential(random, 1);
/** Lognormal of mean 1 and CV² 1.5. */
const skewedService: ServiceLaw = random =>
  Math.exp(normal(random, -Math.log(2.5) / 2, Math.sqrt(Math.log(2.5))));

const SYSTEMS: readonly (readonly [name: string, servers: number, service: ServiceLaw, meanWait: number])[] =
  [
    ['M/M/1', 1, exponentialService, 4],
    ['M/D/1', 1, () => 1, 2],
    ['M/G/1 with CV² 1.5', 1, skewedService, 5],
    ['M/M/4', 4, exponentialService, waitOf(4, 0.5964)],
    ['M/M/8', 8, exponentialService, waitOf(8, 0.4576)],
    ['M/M/16', 16, exponentialService, waitOf(16, 0.3049)],
  ];

export function theoryChecks(): TheoryCheck[] {
  return SYSTEMS.map(([system, servers, service, expected]) => {
    const waits = Array.from({ length: RUNS }, (_, run) => meanWait(servers, service, `${system} ${run}`));
    return { system, expected, simulated: meanEstimate(waits) };
  });
}

/** Poisson arrivals at ρ·c, mean service 1. */
function meanWait(servers: number, service: ServiceLaw, seed: string): number {
  const clock = new VirtualClock();
  const waits: number[] = [];
  const device = new Device('queue', servers, clock, undefined, job =>
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
  return mean(waits.slice(WARM_UP));
}
