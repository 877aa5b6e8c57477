/**
 * The way to a component on another host. Of the hosts that serve it with the same weights the one with the fewest
 * streams is taken; all of this runtime's streams live there until it is lost. It is lost when nobody listens to it any
 * more (its process ended), or when a supervisor gives it up (it hangs, or the network does); the next start looks for
 * another.
 */
import { RuntimeError } from '../../errors.ts';
import { type Channel, type ChannelSender, engineClosed } from '../channel.ts';
import type { ComponentState, EngineComponent } from '../lifecycle.ts';
import type { StreamCommand } from '../service.ts';
import type { StateListener, SupervisedChannel } from '../supervised-channels.ts';
import { fromWire } from '../worker-protocol.ts';
import type { Bus, BusTimers } from './bus.ts';
import { SenderLine, send } from './line.ts';
import { type Find, type Found, type ModelIdentity, subjects, type ToClient, type ToHost } from './wire.ts';

/** So long hosts may take to answer, */
const FIND_MS = 1000;
/** and so long others may after the first. */
const GATHER_MS = 30;

export interface RemoteChannelOptions {
  readonly component: EngineComponent;
  readonly model: ModelIdentity;
  readonly bus: Bus;
  readonly timers: BusTimers;
  /** Unique among all that use the bus; a word of letters and digits. */
  readonly newId: () => string;
}

interface Pending<Answer> {
  readonly resolve: (answers: (Answer | null)[]) => void;
  readonly reject: (error: RuntimeError) => void;
}

/** A host that serves us, and as whom it knows us. */
interface Connected {
  readonly host: string;
  readonly subject: string;
  readonly answersAt: string;
  readonly stop: () => void;
}

export class RemoteChannel<Work extends object, Answer> implements Channel<Work, Answer>, SupervisedChannel {
  readonly #options: RemoteChannelOptions;
  readonly #pending = new Map<number, Pending<Answer>>();
  #sender: ChannelSender | null = null;
  #supervisor: StateListener | null = null;
  #connected: Connected | null = null;
  #stopFinding: (() => void) | null = null;
  #state: ComponentState = 'down';
  #isClosed = false;
  #incarnation = 0;
  #nextRequest = 1;

  /** Resolves when a host is found. @throws (rejects) RuntimeError `remote.no-host`, `remote.other-model` */
  static open<Work extends object, Answer>(
    options: RemoteChannelOptions,
  ): Promise<RemoteChannel<Work, Answer>> {
    const channel = new RemoteChannel<Work, Answer>(options);
    return new Promise((resolve, reject) => {
      channel.supervise((state, error) => {
        if (state === 'starting') return;
        channel.#supervisor = null;
        if (state === 'ready') resolve(channel);
        else reject(error);
      });
      channel.start();
    });
  }

  private constructor(options: RemoteChannelOptions) {
    this.#options = options;
  }

  get incarnation(): number {
    return this.#incarnation;
  }

  get state(): ComponentState {
    return this.#state;
  }

  /** The host that serves, for people to see. */
  get host(): string | null {
    return this.#connected?.host ?? null;
  }

  get isReady(): boolean {
    return this.#state === 'ready' || this.#isClosed;
  }

  connect(sender: ChannelSender): void {
    this.#sender = sender;
  }

  supervise(supervisor: StateListener): void {
    this.#supervisor = supervisor;
  }

  wake(): void {
    if (!this.#supervisor) this.start();
  }

  start(): void {
    if (this.#state !== 'down' || this.#isClosed) return;
    this.#change('starting');
    this.#find();
  }

  giveUp(error: RuntimeError): void {
    if (this.#state !== 'down' && !this.#isClosed) this.#lost(error);
  }

  refuse(error: RuntimeError): void {
    this.#sender?.refused(error);
  }

  apply(command: StreamCommand): void {
    if (!this.#isClosed) this.#say({ kind: 'command', command });
  }

  step(batch: readonly Work[]): Promise<(Answer | null)[]> {
    if (this.#isClosed) return Promise.reject(engineClosed());
    const request = this.#nextRequest++;
    return new Promise((resolve, reject) => {
      this.#pending.set(request, { resolve, reject });
      try {
        this.#say({ kind: 'step', request, batch });
      } catch (error) {
        this.#pending.delete(request);
        reject(error);
      }
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#stopFinding?.();
    if (this.#connected) this.#say({ kind: 'bye' });
    this.#leave();
    this.#rejectAll(engineClosed());
    this.#sender?.ready(); // What waits is refused as closed.
  }

  #find(): void {
    const { bus, component, model, timers, newId } = this.#options;
    const answerAt = subjects.client(newId());
    const found: Found[] = [];
    let timer = timers.setTimer(FIND_MS, () => done());
    const line = new SenderLine<Found>({
      message: host => {
        found.push(host);
        if (found.length > 1 || host.kind !== 'found') return;
        timer.cancel();
        timer = timers.setTimer(GATHER_MS, () => done());
      },
      unheard: () => done(),
      malformed: () => {},
    });
    const unsubscribe = bus.subscribe(answerAt, message => line.hear(message));
    const stop = () => {
      timer.cancel();
      unsubscribe();
      this.#stopFinding = null;
    };
    const done = () => {
      stop();
      const same = found.filter(host => host.model?.hash === model.hash);
      if (same.length > 0) this.#join(same.reduce((a, b) => (b.streams < a.streams ? b : a)).host);
      else this.#lost(found.length > 0 ? otherModel(component, model, found) : noHost(component));
    };
    this.#stopFinding = stop;
    const find: Find = { kind: 'find', answerAt };
    send(bus, subjects.find(component), find, answerAt);
  }

  #join(host: string): void {
    const { bus, component, newId } = this.#options;
    const client = newId();
    const answersAt = subjects.client(client);
    const line = new SenderLine<ToClient>({
      message: message => this.#answer(message),
      unheard: () => this.#lost(hostLost(component, host)),
      malformed: error => this.#lost(error as RuntimeError),
    });
    const stop = bus.subscribe(answersAt, message => line.hear(message));
    this.#connected = { host, subject: subjects.host(component, host, client), answersAt, stop };
    this.#change('ready');
    this.#sender?.ready();
  }

  #say(message: ToHost): void {
    const { subject, answersAt } = this.#connected!;
    send(this.#options.bus, subject, message, answersAt);
  }

  #answer(message: ToClient): void {
    if (message.kind === 'ping') return;
    const pending = this.#pending.get(message.request);
    this.#pending.delete(message.request);
    if (message.kind === 'answer') pending?.resolve([...message.answers] as (Answer | null)[]);
    else pending?.reject(fromWire(message.error));
  }

  #lost(error: RuntimeError): void {
    if (this.#isClosed || this.#state === 'down') return;
    this.#stopFinding?.();
    if (this.#state === 'ready') this.#incarnation++;
    this.#leave();
    this.#state = 'down';
    this.#rejectAll(error);
    if (!this.#supervisor) this.refuse(error);
    this.#supervisor?.('down', error);
  }

  #leave(): void {
    this.#connected?.stop();
    this.#connected = null;
  }

  #change(state: ComponentState): void {
    this.#state = state;
    this.#supervisor?.(state, null);
  }

  #rejectAll(error: RuntimeError): void {
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject } of pending) reject(error);
  }
}

function noHost(component: EngineComponent): RuntimeError {
  const remedy = `Start one: longcat-rt engine --components ${component} --nats URL.`;
  return new RuntimeError('remote.no-host', 'No host serves the component.', { component }, remedy);
}

function otherModel(component: EngineComponent, model: ModelIdentity, found: readonly Found[]): RuntimeError {
  const theirs = [...new Set(found.map(host => `${host.model?.name} ${host.model?.hash.slice(0, 12)}`))].join(
    ', ',
  );
  const values = { component, ours: `${model.name} ${model.hash.slice(0, 12)}`, theirs };
  const remedy = 'Give every host the same model directory.';
  return new RuntimeError(
    'remote.other-model',
    'The hosts of the component have other weights.',
    values,
    remedy,
  );
}

function hostLost(component: EngineComponent, host: string): RuntimeError {
  const remedy = 'Streams of this component must be opened again.';
  return new RuntimeError(
    'remote.host-lost',
    'The host of a component is gone.',
    { component, host },
    remedy,
  );
}
