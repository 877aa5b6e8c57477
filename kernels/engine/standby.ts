import { Worker } from 'node:worker_threads';
import type { FromWorker, WorkerStart } from './worker-protocol.ts';

/** A worker thread does not inherit the loader that lets the sources run. */
const WORKER = import.meta.url.endsWith('.ts') ? './worker-from-source.js' : './worker.js';

/**
 * V8's own choice, 48 MB where memory is plenty, is filled once by loading and then kept: 20 MB of resident memory a
 * thread.
 */
const YOUNG_GENERATION_MB = 3;

/** A thread that loads these services and is told later which of them it is. */
export function startThread(name: string, services: WorkerStart): Worker {
  return new Worker(new URL(WORKER, import.meta.url), {
    workerData: services,
    name,
    // The parent's flags (a test runner's, a loader's) are not for this thread.
    execArgv: [],
    // Its arithmetic lies outside of the heap; what it makes inside is small and short-lived.
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
  });
}

/** Nobody listens to the thread any more, and nothing it does can be heard; it ends as soon as it can be ended. */
export function abandonThread(thread: Worker): Promise<number> {
  unlisten(thread);
  thread.on('error', () => {}); // Without a listener it would end the process.
  return thread.terminate();
}

/** By name: without one Node's own listeners would go too, and no message would ever be delivered again. */
function unlisten(thread: Worker): void {
  for (const event of ['message', 'error', 'exit']) thread.removeAllListeners(event);
}

/**
 * A thread that has every component loaded and does nothing, so that whichever of them fails is replaced at once
 * instead of after a load. It costs a second copy of the weights in memory.
 */
export class Standby {
  readonly #services: WorkerStart;
  #thread: Worker | null = null;
  #isReady = false;
  #isClosed = false;

  constructor(services: WorkerStart) {
    this.#services = services;
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  /** Starts one where there is none. */
  prepare(): void {
    if (this.#thread || this.#isClosed) return;
    const thread = startThread('standby', this.#services);
    this.#thread = thread;
    thread.on('message', (message: FromWorker<never>) => {
      if (message.kind === 'ready') this.#isReady = true;
      else void thread.terminate();
    });
    thread.on('error', () => {});
    thread.on('exit', () => {
      if (this.#thread !== thread) return;
      this.#thread = null;
      this.#isReady = false;
    });
  }

  /** The thread, if it is loaded; the next one begins with `prepare`. */
  take(): Worker | null {
    const thread = this.#isReady ? this.#thread : null;
    if (thread) {
      unlisten(thread);
      this.#thread = null;
      this.#isReady = false;
    }
    return thread;
  }

  /** Ends it, until `prepare`. */
  release(): Promise<unknown> {
    const thread = this.#thread;
    this.#thread = null;
    this.#isReady = false;
    return thread ? abandonThread(thread) : Promise.resolve();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.release();
  }
}
