/**
 * Serves one component of an engine to runtimes on other hosts. Each runtime is a client with its own stream numbers; a
 * client that is gone, which nobody says, is noticed because nobody hears what it is sent.
 */
import { RuntimeError } from '../../errors.ts';
import { asRuntimeError } from '../channel.ts';
import type { StreamId } from '../engine.ts';
import type { EngineComponent } from '../lifecycle.ts';
import type { StreamCommand, StreamOf } from '../service.ts';
import { toWire } from '../worker-protocol.ts';
import type { Bus, BusMessage, BusTimers } from './bus.ts';
import { SenderLine, send } from './line.ts';
import { type Find, type ModelIdentity, subjects, type ToClient, type ToHost } from './wire.ts';

const PING_EVERY_MS = 2000;
/** Beyond these a client is not heard, and a stream not opened. */
const MAX_CLIENTS = 256;
const MAX_STREAMS = 16_384;

/** A component as the engine has it; those without streams can only step. */
export interface HostedComponent {
  step(batch: readonly never[]): PromiseLike<readonly unknown[]>;
  open?(): StreamId;
  close?(stream: StreamId): void;
  fork?(stream: StreamId): StreamId;
  truncate?(stream: StreamId, length: number): void;
}

export interface ComponentHostOptions {
  readonly component: EngineComponent;
  readonly hosted: HostedComponent;
  readonly streamOf: StreamOf<object>;
  /** Unique among all that use the bus; a word of letters and digits. */
  readonly host: string;
  readonly model: ModelIdentity;
  readonly bus: Bus;
  readonly timers: BusTimers;
  /** False while the component is down here: nothing is to begin. */
  readonly serves?: () => boolean;
  /** A step was done, or failed: of these works, in so long. */
  readonly onStep?: (batch: readonly object[], beganMs: number, tookMs: number) => void;
  /** A client came, went, or said what cannot be read. */
  readonly onClient?: (client: string, what: 'came' | 'went' | 'malformed') => void;
}

interface Client {
  readonly line: SenderLine<ToHost>;
  /** Its stream numbers, and ours. */
  readonly streams: Map<StreamId, StreamId>;
}

export class ComponentHost {
  readonly #options: ComponentHostOptions;
  readonly #clients = new Map<string, Client>();
  readonly #stopAnswering: () => void;
  readonly #stopHearing: () => void;
  #ping: { cancel(): void };

  constructor(options: ComponentHostOptions) {
    this.#options = options;
    const { bus, component, host } = options;
    // Every runtime asks here: what one of them cuts into parts cannot be put together, but a question is short.
    const questions = new SenderLine<Find>({
      message: find => this.#tellOf(find),
      unheard: () => {},
      malformed: () => options.onClient?.('?', 'malformed'),
    });
    this.#stopAnswering = bus.subscribe(subjects.find(component), message => questions.hear(message));
    this.#stopHearing = bus.subscribe(subjects.host(component, host, '*'), message => this.#hear(message));
    this.#ping = options.timers.setTimer(PING_EVERY_MS, () => this.#pingAll());
  }

  get streams(): number {
    return [...this.#clients.values()].reduce((sum, { streams }) => sum + streams.size, 0);
  }

  get clients(): number {
    return this.#clients.size;
  }

  /** Is found no more; its clients go on. */
  retire(): void {
    this.#stopAnswering();
  }

  close(): void {
    this.#ping.cancel();
    this.#stopAnswering();
    this.#stopHearing();
    for (const client of [...this.#clients.keys()]) this.#drop(client);
  }

  #tellOf({ answerAt }: Find): void {
    if (typeof answerAt !== 'string') return;
    const { bus, host, model, serves } = this.#options;
    if (serves?.() === false) return;
    send(bus, answerAt, { kind: 'found', host, model, streams: this.streams });
  }

  #hear(message: BusMessage): void {
    const name = message.subject.slice(message.subject.lastIndexOf('.') + 1);
    if (message.isUnheard) this.#drop(name);
    else (this.#clients.get(name) ?? this.#welcome(name))?.line.hear(message);
  }

  #welcome(name: string): Client | null {
    if (this.#clients.size >= MAX_CLIENTS) return null;
    const line = new SenderLine<ToHost>({
      message: message => this.#take(name, message),
      unheard: () => this.#drop(name),
      malformed: () => {
        this.#options.onClient?.(name, 'malformed');
        this.#drop(name);
      },
    });
    const client = { line, streams: new Map() };
    this.#clients.set(name, client);
    this.#options.onClient?.(name, 'came');
    return client;
  }

  /** What a client says wrongly costs that client. */
  #take(name: string, message: ToHost): void {
    const client = this.#clients.get(name);
    if (!client) return;
    try {
      if (message.kind === 'bye') this.#drop(name);
      else if (message.kind === 'command') this.#apply(client, message.command);
      else if (message.kind === 'step') void this.#step(name, client, message.request, message.batch);
    } catch {
      this.#options.onClient?.(name, 'malformed');
      this.#drop(name);
    }
  }

  #apply({ streams }: Client, command: StreamCommand): void {
    const { hosted } = this.#options;
    if (command.op === 'open') {
      if (hosted.open && this.streams < MAX_STREAMS) streams.set(command.stream, hosted.open());
      return;
    }
    const ours = streams.get(command.stream);
    if (ours === undefined) return;
    if (command.op === 'close') {
      streams.delete(command.stream);
      hosted.close?.(ours);
    } else if (command.op === 'truncate') hosted.truncate?.(ours, command.length);
    else if (command.op === 'fork' && hosted.fork && this.streams < MAX_STREAMS)
      streams.set(command.copy, hosted.fork(ours));
  }

  async #step(name: string, client: Client, request: number, batch: readonly object[]): Promise<void> {
    const { hosted, timers } = this.#options;
    const beganMs = timers.nowMs();
    try {
      const answers = await hosted.step(batch.map(work => this.#ours(client, work)) as never[]);
      this.#answer(name, { kind: 'answer', request, answers, tookMs: timers.nowMs() - beganMs });
    } catch (error) {
      this.#answer(name, { kind: 'failed', request, error: toWire(asRuntimeError(error)) });
    }
    this.#options.onStep?.(batch, beganMs, timers.nowMs() - beganMs);
  }

  /** The work with our number of its stream. */
  #ours({ streams }: Client, work: object): object {
    const stream = this.#options.streamOf(work);
    if (stream === null) return work;
    const ours = streams.get(stream);
    if (ours === undefined) {
      const values = { component: this.#options.component, stream };
      const remedy = 'Open a new stream and feed it again.';
      throw new RuntimeError('engine.stream-lost', 'The host knows no such stream.', values, remedy);
    }
    return 'sequence' in work ? { ...work, sequence: ours } : { ...work, stream: ours };
  }

  #answer(name: string, message: ToClient): void {
    if (!this.#clients.has(name)) return;
    const { bus, component, host } = this.#options;
    send(bus, subjects.client(name), message, subjects.host(component, host, name));
  }

  #pingAll(): void {
    for (const name of this.#clients.keys()) this.#answer(name, { kind: 'ping' });
    this.#ping = this.#options.timers.setTimer(PING_EVERY_MS, () => this.#pingAll());
  }

  #drop(name: string): void {
    const client = this.#clients.get(name);
    if (!client) return;
    this.#clients.delete(name);
    for (const stream of client.streams.values()) this.#options.hosted.close?.(stream);
    this.#options.onClient?.(name, 'went');
  }
}
