/**
 * The way to a component on other hosts. All that serve it with the same weights share the streams of this runtime: a
 * stream lives where it was opened, and is opened where the fewest are. Hosts come and go meanwhile; with one that is
 * gone (nobody listens there any more, or its supervisor gave it up because it hangs) its streams are lost, and no
 * others. With the last host the component is down, until a start finds another.
 */
import { RuntimeError } from '../../errors.ts';
import { type Channel, type ChannelSender, engineClosed } from '../channel.ts';
import type { StreamId } from '../engine.ts';
import type { ComponentState, EngineComponent, ServingHost } from '../lifecycle.ts';
import type { StreamCommand, StreamOf } from '../service.ts';
import type { StateListener, SupervisedChannel } from '../supervised-channels.ts';
import type { Bus, BusTimers } from './bus.ts';
import { HostLine } from './host-line.ts';
import { search } from './search.ts';
import { StepParts } from './step-parts.ts';
import type { Found, ModelIdentity } from './wire.ts';

/** While it serves others are looked for so often. */
const LOOK_EVERY_MS = 2000;
/** Looks that a host may miss before nothing new begins there. */
const MISSES = 2;

export interface RemoteChannelOptions {
  readonly component: EngineComponent;
  readonly model: ModelIdentity;
  readonly bus: Bus;
  readonly timers: BusTimers;
  /** Unique among all that use the bus; a word of letters and digits. */
  readonly newId: () => string;
  /** Of the works of this component. */
  readonly streamOf: StreamOf<never>;
  /** What each host's part of a step took beside the host's own time. */
  readonly onHop?: (hopMs: number) => void;
  /** A host came or was lost, while others serve or do not. */
  readonly onHost?: (
    component: EngineComponent,
    host: string,
    what: 'came' | 'lost',
    why: RuntimeError | null,
  ) => void;
}

export class RemoteChannel<Work extends object, Answer> implements Channel<Work, Answer>, SupervisedChannel {
  readonly #options: RemoteChannelOptions;
  readonly #lines = new Map<string, HostLine<Work, Answer>>();
  readonly #homes = new Map<StreamId, HostLine<Work, Answer>>();
  readonly #parts: StepParts<Work, Answer>;
  #sender: ChannelSender | null = null;
  #supervisor: StateListener | null = null;
  #stopLooking: (() => void) | null = null;
  #state: ComponentState = 'down';
  #isClosed = false;
  #incarnation = 0;

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
    const streamOf = options.streamOf as StreamOf<Work>;
    const parts = new StepParts<Work, Answer>(options.component, work => {
      const stream = streamOf(work);
      return stream === null ? this.#leastBusy() : (this.#homes.get(stream) ?? null);
    });
    parts.onHop = hopMs => options.onHop?.(hopMs);
    this.#parts = parts;
  }

  get incarnation(): number {
    return this.#incarnation;
  }

  get state(): ComponentState {
    return this.#state;
  }

  /** Those that serve, and how many streams of ours each has. */
  get hosts(): readonly ServingHost[] {
    const lines = [...this.#lines.values()];
    const ours = (line: object) => [...this.#homes.values()].filter(home => home === line).length;
    return lines.map(line => ({ host: line.host, streams: ours(line), isLeaving: line.missed >= MISSES }));
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
    this.#look();
  }

  /** Of the hosts only those that owe the oldest step its answer; of those that owe nothing none is given up. */
  giveUp(error: RuntimeError): void {
    if (this.#state === 'down' || this.#isClosed) return;
    const owing = this.#parts.oldestOwedBy();
    for (const line of owing) this.#lost(line, error);
    if (owing.length === 0) for (const line of [...this.#lines.values()]) this.#lost(line, error);
    if (this.#state === 'starting') this.#down(error);
  }

  refuse(error: RuntimeError): void {
    this.#sender?.refused(error);
  }

  apply(command: StreamCommand): void {
    if (this.#isClosed) return;
    if (command.op === 'open') this.#settle(command.stream, this.#leastLoaded());
    const home = this.#homes.get(command.stream);
    if (!home) return; // Its host is gone; what is asked of the stream is refused.
    if (command.op === 'fork') this.#settle(command.copy, home);
    if (command.op === 'close') {
      this.#homes.delete(command.stream);
      home.load--;
    }
    home.apply(command);
  }

  step(batch: readonly Work[]): Promise<(Answer | null)[]> {
    return this.#isClosed ? Promise.reject(engineClosed()) : this.#parts.step(batch);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#stopLooking?.();
    for (const line of this.#lines.values()) line.leave(engineClosed(), true);
    this.#lines.clear();
    this.#sender?.ready(); // What waits is refused as closed.
  }

  #settle(stream: StreamId, line: HostLine<Work, Answer>): void {
    this.#homes.set(stream, line);
    line.load++;
  }

  #leastLoaded(): HostLine<Work, Answer> {
    const lines = [...this.#lines.values()];
    const staying = lines.filter(({ missed }) => missed < MISSES);
    return (staying.length > 0 ? staying : lines).reduce((a, b) => (b.load < a.load ? b : a));
  }

  #leastBusy(): HostLine<Work, Answer> {
    const idle = [...this.#lines.values()].filter(({ isBusy, missed }) => !isBusy && missed < MISSES);
    return idle[0] ?? this.#leastLoaded();
  }

  /** Asks who is there; while it serves again and again. */
  #look(): void {
    this.#stopLooking = search(this.#options, found => {
      this.#stopLooking = null;
      this.#found(found);
      if (this.#state !== 'ready' || this.#isClosed) return;
      const timer = this.#options.timers.setTimer(LOOK_EVERY_MS, () => this.#look());
      this.#stopLooking = () => timer.cancel();
    });
  }

  #found(found: readonly Found[]): void {
    const { component, model } = this.#options;
    for (const line of this.#lines.values()) line.missed++;
    for (const each of found.filter(host => host.model?.hash === model.hash)) {
      const line = this.#lines.get(each.host) ?? this.#join(each.host);
      line.missed = 0;
      line.load = each.streams;
    }
    for (const line of this.#lines.values()) this.#leaveIfOver(line);
    if (this.#lines.size === 0)
      this.#down(found.length > 0 ? otherModel(component, model, found) : noHost(component));
    else if (this.#state === 'starting') {
      this.#change('ready');
      this.#sender?.ready();
    }
  }

  #join(host: string): HostLine<Work, Answer> {
    const { bus, component, newId, onHost, timers } = this.#options;
    const onLost = (error: RuntimeError) => this.#lost(line, error);
    const line = new HostLine<Work, Answer>({ component, bus, timers, host, client: newId(), onLost });
    this.#lines.set(host, line);
    onHost?.(component, host, 'came', null);
    return line;
  }

  /** A host that is found no more and has nothing of ours is let go, as long as another serves. */
  #leaveIfOver(line: HostLine<Work, Answer>): void {
    const isHome = () => [...this.#homes.values()].includes(line);
    if (line.missed < MISSES || this.#lines.size === 1 || line.isBusy || isHome()) return;
    this.#lines.delete(line.host);
    line.leave(engineClosed(), true);
  }

  #lost(line: HostLine<Work, Answer>, error: RuntimeError): void {
    if (this.#isClosed || this.#lines.get(line.host) !== line) return;
    this.#lines.delete(line.host);
    for (const [stream, home] of this.#homes) if (home === line) this.#homes.delete(stream);
    this.#options.onHost?.(this.#options.component, line.host, 'lost', error);
    if (this.#lines.size === 0) this.#down(error);
    line.leave(error, false);
  }

  #down(error: RuntimeError): void {
    if (this.#state === 'down') return;
    this.#stopLooking?.();
    this.#stopLooking = null;
    if (this.#state === 'ready') this.#incarnation++;
    this.#state = 'down';
    if (!this.#supervisor) this.refuse(error);
    this.#supervisor?.('down', error);
  }

  #change(state: ComponentState): void {
    this.#state = state;
    this.#supervisor?.(state, null);
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
