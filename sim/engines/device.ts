import type { Clock } from '../../actors/core/index.ts';
import { RuntimeError } from '../../kernels/errors.ts';

/** One piece of work on a device; clock milliseconds. */
export interface Job {
  readonly label: string;
  /** Work items in it. */
  readonly batch: number;
  readonly arrivedMs: number;
  readonly startedMs: number;
  readonly endedMs: number;
}

/** Of the jobs that began within a window; time averages are clipped to it. */
export interface DeviceStatistics {
  readonly name: string;
  readonly servers: number;
  readonly jobs: number;
  /** Share of the servers' time, 0–1. */
  readonly utilisation: number;
  readonly meanWaitMs: number;
  /** Time average of the jobs that wait. */
  readonly meanQueue: number;
  readonly meanBatch: number;
  readonly largestBatch: number;
}

const MAX_JOBS = 4_000_000;

/** What work occupies: `servers` alike, first come first served, so that waiting and contention emerge. */
export class Device {
  readonly name: string;
  readonly servers: number;
  readonly jobs: Job[] = [];
  readonly #clock: Clock;
  readonly #freeAtMs: number[];

  constructor(name: string, servers: number, clock: Clock) {
    this.name = name;
    this.servers = servers;
    this.#clock = clock;
    this.#freeAtMs = new Array(servers).fill(0);
  }

  /** Takes a place in the queue. Returns the milliseconds from now until it is done. */
  occupy(serviceMs: number, label: string, batch = 1): number {
    if (this.jobs.length === MAX_JOBS) {
      const remedy = 'Simulate a shorter time or fewer sessions.';
      throw new RuntimeError(
        'sim.device-jobs',
        'The device keeps no more jobs.',
        { device: this.name, limit: MAX_JOBS },
        remedy,
      );
    }
    const arrivedMs = this.#clock.nowMs();
    const server = this.#earliest();
    const startedMs = Math.max(arrivedMs, this.#freeAtMs[server]);
    const endedMs = startedMs + serviceMs;
    this.#freeAtMs[server] = endedMs;
    this.jobs.push({ label, batch, arrivedMs, startedMs, endedMs });
    return endedMs - arrivedMs;
  }

  /** The statistics are formed over all jobs and then cut, so that what is under way at the cut is counted. */
  statistics(fromMs: number, toMs: number): DeviceStatistics {
    const within = this.jobs.filter(({ arrivedMs }) => arrivedMs >= fromMs && arrivedMs < toMs);
    const overlap = (a: number, b: number) => Math.max(0, Math.min(b, toMs) - Math.max(a, fromMs));
    const sum = (of: readonly Job[], value: (job: Job) => number) =>
      of.reduce((total, job) => total + value(job), 0);
    const lengthMs = toMs - fromMs;
    const count = Math.max(1, within.length);
    return {
      name: this.name,
      servers: this.servers,
      jobs: within.length,
      utilisation: sum(this.jobs, job => overlap(job.startedMs, job.endedMs)) / (lengthMs * this.servers),
      meanWaitMs: sum(within, job => job.startedMs - job.arrivedMs) / count,
      meanQueue: sum(this.jobs, job => overlap(job.arrivedMs, job.startedMs)) / lengthMs,
      meanBatch: sum(within, job => job.batch) / count,
      largestBatch: within.reduce((largest, job) => Math.max(largest, job.batch), 0),
    };
  }

  #earliest(): number {
    let earliest = 0;
    for (let server = 1; server < this.servers; server++) {
      if (this.#freeAtMs[server] < this.#freeAtMs[earliest]) earliest = server;
    }
    return earliest;
  }
}
