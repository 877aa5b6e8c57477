import type { Clock } from '../../actors/core/index.ts';

/** One piece of work on a device; clock milliseconds. */
export interface Job {
  readonly label: string;
  /** Work items in it. */
  readonly batch: number;
  readonly arrivedMs: number;
  readonly startedMs: number;
  readonly endedMs: number;
}

/** Clock times between which a device counts. */
export interface Window {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Of the jobs that arrived within a window; time averages are clipped to it. */
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
  /** The same over consecutive parts of the window. */
  readonly slices: readonly {
    readonly jobs: number;
    readonly utilisation: number;
    readonly waitMs: number;
    readonly meanQueue: number;
    readonly batch: number;
  }[];
  /** What it worked on. */
  readonly kinds: readonly { readonly label: string; readonly jobs: number; readonly meanMs: number }[];
}

const DEVICE_SLICES = 20;
/** The picture of the devices shows this much time. */
const PICTURE_MS = 1000;
const PICTURE_JOBS = 1500;
const ALWAYS: Window = { fromMs: 0, toMs: Number.POSITIVE_INFINITY };

class Slice {
  jobs = 0;
  busyMs = 0;
  waitMs = 0;
  /** Waiting time that passed within the slice, whenever the job came. */
  queuedMs = 0;
  batch = 0;
}

/**
 * What work occupies: `servers` alike, first come first served, so that waiting and contention emerge. What is known of
 * it are sums, so that a long run needs no more memory than a short one.
 */
export class Device {
  readonly name: string;
  readonly servers: number;
  jobs = 0;
  /** The first jobs of the window. */
  readonly picture: Job[] = [];
  readonly #clock: Clock;
  readonly #window: Window;
  readonly #sliceMs: number;
  readonly #slices: readonly Slice[];
  readonly #kinds = new Map<string, { jobs: number; ms: number }>();
  readonly #onJob: ((job: Job) => void) | null;
  readonly #freeAtMs: number[];
  #largestBatch = 0;

  /** @param onJob told of each job when it takes its place */
  constructor(
    name: string,
    servers: number,
    clock: Clock,
    window: Window = ALWAYS,
    onJob: ((job: Job) => void) | null = null,
  ) {
    const isBounded = window.toMs < Number.POSITIVE_INFINITY;
    this.name = name;
    this.servers = servers;
    this.#clock = clock;
    this.#window = window;
    this.#sliceMs = (window.toMs - window.fromMs) / DEVICE_SLICES;
    this.#slices = Array.from({ length: isBounded ? DEVICE_SLICES : 0 }, () => new Slice());
    this.#onJob = onJob;
    this.#freeAtMs = new Array(servers).fill(0);
  }

  /** Takes a place in the queue. Returns the milliseconds from now until it is done. */
  occupy(serviceMs: number, label: string, batch = 1): number {
    const arrivedMs = this.#clock.nowMs();
    const server = this.#earliest();
    const startedMs = Math.max(arrivedMs, this.#freeAtMs[server]);
    const endedMs = startedMs + serviceMs;
    this.#freeAtMs[server] = endedMs;
    this.jobs += 1;
    if (this.#slices.length > 0) this.#count(arrivedMs, startedMs, endedMs, label, batch);
    this.#onJob?.({ label, batch, arrivedMs, startedMs, endedMs });
    return endedMs - arrivedMs;
  }

  /** Of its window. What was under way when it opened is counted from there. */
  statistics(): DeviceStatistics {
    const total = new Slice();
    for (const slice of this.#slices)
      for (const name of Object.keys(total) as (keyof Slice)[]) total[name] += slice[name];
    const count = Math.max(1, total.jobs);
    const timeMs = this.#sliceMs * this.servers;
    return {
      name: this.name,
      servers: this.servers,
      jobs: total.jobs,
      utilisation: total.busyMs / (timeMs * DEVICE_SLICES),
      meanWaitMs: total.waitMs / count,
      meanQueue: total.queuedMs / (this.#sliceMs * DEVICE_SLICES),
      meanBatch: total.batch / count,
      largestBatch: this.#largestBatch,
      slices: this.#slices.map(({ jobs, busyMs, waitMs, queuedMs, batch }) => ({
        jobs,
        utilisation: busyMs / timeMs,
        waitMs,
        meanQueue: queuedMs / this.#sliceMs,
        batch,
      })),
      kinds: [...this.#kinds].map(([label, { jobs, ms }]) => ({ label, jobs, meanMs: ms / jobs })),
    };
  }

  #count(arrivedMs: number, startedMs: number, endedMs: number, label: string, batch: number): void {
    const { fromMs, toMs } = this.#window;
    if (endedMs <= fromMs || arrivedMs >= toMs) return;
    this.#spread(startedMs, endedMs, 'busyMs');
    this.#spread(arrivedMs, startedMs, 'queuedMs');
    const isInPicture = endedMs > fromMs && startedMs < fromMs + PICTURE_MS;
    if (isInPicture && this.picture.length < PICTURE_JOBS)
      this.picture.push({ label, batch, arrivedMs, startedMs, endedMs });
    if (arrivedMs < fromMs) return;
    const slice = this.#slices[Math.min(DEVICE_SLICES - 1, Math.floor((arrivedMs - fromMs) / this.#sliceMs))];
    slice.jobs += 1;
    slice.waitMs += startedMs - arrivedMs;
    slice.batch += batch;
    this.#largestBatch = Math.max(this.#largestBatch, batch);
    const kind = this.#kinds.get(label);
    if (kind) {
      kind.jobs += 1;
      kind.ms += endedMs - startedMs;
    } else this.#kinds.set(label, { jobs: 1, ms: endedMs - startedMs });
  }

  /** Adds a stretch of time to the slices in which it passes. */
  #spread(beginMs: number, endMs: number, sum: 'busyMs' | 'queuedMs'): void {
    const { fromMs, toMs } = this.#window;
    let atMs = Math.max(beginMs, fromMs);
    const untilMs = Math.min(endMs, toMs);
    for (let i = Math.floor((atMs - fromMs) / this.#sliceMs); atMs < untilMs && i < DEVICE_SLICES; i++) {
      const sliceEndMs = i === DEVICE_SLICES - 1 ? toMs : fromMs + (i + 1) * this.#sliceMs;
      const partMs = Math.min(untilMs, sliceEndMs) - atMs;
      if (partMs > 0) this.#slices[i][sum] += partMs;
      atMs = Math.max(atMs, sliceEndMs);
    }
  }

  #earliest(): number {
    let earliest = 0;
    for (let server = 1; server < this.servers; server++) {
      if (this.#freeAtMs[server] < this.#freeAtMs[earliest]) earliest = server;
    }
    return earliest;
  }
}
