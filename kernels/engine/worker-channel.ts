import type { Worker } from 'node:worker_threads';
import { RuntimeError } from '../errors.ts';
import { type Channel, type ChannelSender, engineClosed } from './channel.ts';
import { ClosedStreams } from './closed-streams.ts';
import type { ComponentState } from './lifecycle.ts';
import type { StreamCommand } from './service.ts';
import { abandonThread, type Standby, startThread } from './standby.ts';
import type { StateListener, SupervisedChannel } from './supervised-channels.ts';
import {
  type FromWorker,
  fromWire,
  type ServiceStart,
  type ToWorker,
  withOwnBuffers,
} from './worker-protocol.ts';

interface Pending<Answer> {
  readonly resolve: (answers: (Answer | null)[]) => void;
  readonly reject: (error: RuntimeError) => void;
}

/**
 * A service in its own worker thread. When the thread dies or is given up, everything pending rejects with why, and its
 * streams are gone, which `incarnation` tells. Another thread is started when a supervisor says so, or where there is
 * none when somebody wants something: never given up for ever.
 */
export class WorkerChannel<Work, Answer> implements Channel<Work, Answer>, SupervisedChannel {
  readonly #name: string;
  readonly #service: ServiceStart;
  readonly #standby: Standby | null;
  readonly #closed = new ClosedStreams();
  readonly #pending = new Map<number, Pending<Answer>>();
  #sender: ChannelSender | null = null;
  #supervisor: StateListener | null = null;
  #thread: Worker | null = null;
  #state: ComponentState = 'starting';
  #isClosed = false;
  #incarnation = 0;
  #nextRequest = 1;

  /** Resolves when the component is loaded. @throws (rejects) what its loading threw */
  static open<Work, Answer>(
    name: string,
    service: ServiceStart,
    standby: Standby | null = null,
  ): Promise<WorkerChannel<Work, Answer>> {
    const channel = new WorkerChannel<Work, Answer>(name, service, standby);
    return new Promise((resolve, reject) => {
      channel.supervise((state, error) => {
        channel.#supervisor = null;
        if (state === 'ready') resolve(channel);
        else reject(error);
      });
      channel.#start(startThread(name, { [name]: service }));
    });
  }

  private constructor(name: string, service: ServiceStart, standby: Standby | null) {
    this.#name = name;
    this.#service = service;
    this.#standby = standby;
  }

  get incarnation(): number {
    return this.#incarnation;
  }

  get state(): ComponentState {
    return this.#state;
  }

  get isReady(): boolean {
    return this.#state === 'ready' || this.#isClosed; // Closed: everything is refused, so nothing need wait.
  }

  connect(sender: ChannelSender): void {
    this.#sender = sender;
  }

  /** From now on a component that is down stays down until `start`. */
  supervise(supervisor: StateListener): void {
    this.#supervisor = supervisor;
  }

  wake(): void {
    if (this.#supervisor) return;
    this.start();
    this.#standby?.prepare();
  }

  /** Starts a component that is down: the standby thread takes over where there is one. */
  start(): void {
    if (this.#state !== 'down' || this.#isClosed) return;
    this.#change('starting', null);
    const spare = this.#standby?.take() ?? null;
    this.#start(spare ?? startThread(this.#name, { [this.#name]: this.#service }));
    if (spare) this.#change('ready', null);
  }

  /** Gives the thread up, whatever it is doing; what is pending rejects with `error`. The component is down then. */
  giveUp(error: RuntimeError): void {
    if (this.#state === 'down' || this.#isClosed) return;
    this.#lost(error);
  }

  /** Refuses what waits for the component. */
  refuse(error: RuntimeError): void {
    this.#sender?.refused(error);
  }

  apply(command: StreamCommand): void {
    if (this.#isClosed) return;
    if (command.op === 'close') this.#closed.add(command.stream);
    this.#post({ kind: 'command', command });
  }

  step(batch: readonly Work[]): Promise<(Answer | null)[]> {
    if (this.#isClosed) return Promise.reject(engineClosed());
    const request = this.#nextRequest++;
    return new Promise((resolve, reject) => {
      this.#pending.set(request, { resolve, reject });
      try {
        this.#post({ kind: 'step', request, batch: withOwnBuffers(batch) });
      } catch (cause) {
        this.#pending.delete(request);
        const values = { component: this.#name, cause: (cause as Error).message };
        reject(new RuntimeError('engine.failed', 'Work could not be sent to its thread.', values));
      }
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#rejectAll(engineClosed());
    this.#sender?.ready(); // What waits is refused as closed.
    if (this.#thread) await abandonThread(this.#thread);
  }

  #post(message: ToWorker<Work>): void {
    this.#thread!.postMessage(message);
  }

  #start(thread: Worker): void {
    this.#thread = thread;
    let crash: Error | null = null;
    thread.on('message', (message: FromWorker<Answer>) => {
      if (message.kind === 'ready') this.#change('ready', null);
      else if (message.kind === 'load-failed') this.#lost(fromWire(message.error));
      else this.#answer(message);
    });
    thread.on('error', error => {
      crash = error;
    });
    thread.on('exit', exitCode => {
      const while_ = this.#state === 'starting' ? ' while loading' : '';
      const text = `The thread of a component died${while_}.`;
      const values = { component: this.#name, cause: crash?.message ?? `exit code ${exitCode}` };
      this.#lost(new RuntimeError('engine.failed', text, values, REOPEN));
    });
    this.#post({ kind: 'serve', component: this.#name, closed: this.#closed.places });
  }

  /** The thread serves no more. */
  #lost(error: RuntimeError): void {
    const thread = this.#thread!;
    const wasReady = this.#state === 'ready';
    this.#thread = null;
    void abandonThread(thread);
    if (this.#isClosed) return;
    if (wasReady) this.#incarnation++;
    this.#state = 'down';
    this.#rejectAll(error);
    if (!wasReady && !this.#supervisor) this.refuse(error);
    this.#supervisor?.('down', error);
  }

  #change(state: ComponentState, error: RuntimeError | null): void {
    this.#state = state;
    if (state === 'ready') this.#sender?.ready();
    this.#supervisor?.(state, error);
  }

  #answer(message: Extract<FromWorker<Answer>, { kind: 'answer' | 'failed' }>): void {
    const pending = this.#pending.get(message.request);
    this.#pending.delete(message.request);
    if (message.kind === 'answer') pending?.resolve(message.answers);
    else pending?.reject(fromWire(message.error));
  }

  #rejectAll(error: RuntimeError): void {
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject } of pending) reject(error);
  }
}

const REOPEN = 'Streams of this component must be opened again.';
