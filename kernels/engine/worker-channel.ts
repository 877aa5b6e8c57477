import { Worker } from 'node:worker_threads';
import { RuntimeError } from '../errors.ts';
import { type Channel, engineClosed } from './channel.ts';
import { ClosedStreams } from './closed-streams.ts';
import type { StreamCommand } from './service.ts';
import { type FromWorker, fromWire, type ToWorker, type WorkerStart } from './worker-protocol.ts';

/** A worker thread does not inherit the loader that lets the sources run. */
const WORKER = import.meta.url.endsWith('.ts') ? './worker-from-source.js' : './worker.js';

/** Crashes without a successful step in between after which the component is given up. */
const MAX_CRASHES = 3;

interface Pending<Answer> {
  readonly resolve: (answers: (Answer | null)[]) => void;
  readonly reject: (error: RuntimeError) => void;
}

/**
 * A service in its own worker thread. When the thread dies, everything pending rejects with `engine.failed`, and a new
 * thread loads the component again; its streams are gone, which `incarnation` tells.
 */
export class WorkerChannel<Work, Answer> implements Channel<Work, Answer> {
  readonly #name: string;
  readonly #start: WorkerStart;
  readonly #closed = new ClosedStreams();
  readonly #pending = new Map<number, Pending<Answer>>();
  #worker!: Worker;
  #incarnation = 0;
  #nextRequest = 1;
  #crashes = 0;
  /** Set once the component is closed or given up: why. */
  #over: RuntimeError | null = null;

  /** Resolves when the component is loaded. @throws (rejects) what its loading threw */
  static async open<Work, Answer>(
    name: string,
    start: Omit<WorkerStart, 'closed'>,
  ): Promise<WorkerChannel<Work, Answer>> {
    const channel = new WorkerChannel<Work, Answer>(name, start);
    await channel.#spawn();
    return channel;
  }

  private constructor(name: string, start: Omit<WorkerStart, 'closed'>) {
    this.#name = name;
    this.#start = { ...start, closed: this.#closed.places };
  }

  get incarnation(): number {
    return this.#incarnation;
  }

  apply(command: StreamCommand): void {
    if (this.#over) return;
    if (command.op === 'close') this.#closed.add(command.stream);
    this.#post({ kind: 'command', command });
  }

  step(batch: readonly Work[]): Promise<(Answer | null)[]> {
    if (this.#over) return Promise.reject(this.#over);
    const request = this.#nextRequest++;
    return new Promise((resolve, reject) => {
      this.#pending.set(request, { resolve, reject });
      try {
        this.#post({ kind: 'step', request, batch });
      } catch (cause) {
        this.#pending.delete(request);
        const values = { component: this.#name, cause: (cause as Error).message };
        reject(new RuntimeError('engine.failed', 'Work could not be sent to its thread.', values));
      }
    });
  }

  async close(): Promise<void> {
    this.#over = engineClosed();
    this.#rejectAll(this.#over);
    await this.#worker.terminate();
  }

  #post(message: ToWorker<Work>): void {
    this.#worker.postMessage(message);
  }

  #spawn(): Promise<void> {
    const worker = new Worker(new URL(WORKER, import.meta.url), {
      workerData: this.#start,
      name: this.#name,
      // The parent's flags (a test runner's, a loader's) are not for this thread.
      execArgv: [],
    });
    this.#worker = worker;
    return new Promise((resolve, reject) => {
      let crash: Error | null = null;
      worker.on('message', (message: FromWorker<Answer>) => {
        if (message.kind === 'ready') resolve();
        else if (message.kind === 'load-failed') {
          this.#giveUp(fromWire(message.error));
          reject(this.#over);
          void worker.terminate();
        } else this.#answer(message);
      });
      worker.on('error', error => {
        crash = error;
      });
      worker.on('exit', exitCode => {
        this.#onExit(worker, crash?.message ?? `exit code ${exitCode}`);
        reject(this.#over ?? this.#failed('The thread of a component died while loading.', 'crash'));
      });
    });
  }

  #answer(message: Extract<FromWorker<Answer>, { kind: 'answer' | 'failed' }>): void {
    const pending = this.#pending.get(message.request);
    this.#pending.delete(message.request);
    if (message.kind === 'answer') {
      this.#crashes = 0;
      pending?.resolve(message.answers);
    } else pending?.reject(fromWire(message.error));
  }

  #onExit(worker: Worker, cause: string): void {
    if (worker !== this.#worker || this.#over) return;
    const error = this.#failed('The thread of a component died.', cause);
    this.#incarnation++;
    if (++this.#crashes > MAX_CRASHES) this.#giveUp(error);
    this.#rejectAll(error);
    if (!this.#over) this.#spawn().catch(() => {}); // Its failure is already recorded in `#over` or counted.
  }

  #giveUp(error: RuntimeError): void {
    this.#over ??= error;
    this.#rejectAll(this.#over);
  }

  #failed(text: string, cause: string): RuntimeError {
    const remedy = 'Streams of this component must be opened again.';
    return new RuntimeError('engine.failed', text, { component: this.#name, cause }, remedy);
  }

  #rejectAll(error: RuntimeError): void {
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject } of pending) reject(error);
  }
}
