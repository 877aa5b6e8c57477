import type { Clock } from '../../actors/core/index.ts';
import { engineWithSteps } from '../../actors/core/index.ts';
import {
  type ComponentState,
  ENGINE_COMPONENTS,
  type Engine,
  type EngineComponent,
  type EngineLifecycle,
  type StreamId,
} from '../../kernels/engine/index.ts';
import { RuntimeError } from '../../kernels/errors.ts';

export type Fault = 'kill' | 'throw' | 'hang' | 'slow';

type Listener = Parameters<EngineLifecycle['supervise']>[0];

export interface FaultyOptions {
  /** How long a component takes to start again; Infinity: it never does. */
  readonly loadMs?: number;
  /** What a slow step takes longer. */
  readonly slowMs?: number;
}

/**
 * An engine whose components fail when told, as threads do: streams are lost, what is in flight is answered with why.
 */
export class FaultyEngine {
  readonly engine: Engine;
  loadMs: number;
  /** From each fault that hit a step until the next good answer. */
  readonly recoveredAfterMs: number[] = [];
  /** When another standby was asked for. */
  readonly standbysAtMs: number[] = [];
  readonly standbysReleasedAtMs: number[] = [];
  readonly #hitAtMs = new Map<EngineComponent, number>();
  readonly #clock: Clock;
  readonly #slowMs: number;
  readonly #components = new Map<EngineComponent, Component>(
    ENGINE_COMPONENTS.map(name => [name, new Component()]),
  );
  #listener: Listener = () => {};

  constructor(inner: Engine, clock: Clock, options: FaultyOptions = {}) {
    this.#clock = clock;
    this.loadMs = options.loadMs ?? 50;
    this.#slowMs = options.slowMs ?? 200;
    const stepping = engineWithSteps(inner, (name, batch, step) => this.#step(name, batch, step));
    const { languageModel, audioEncoder, ganDecoder } = stepping;
    const of = (name: EngineComponent) => this.#components.get(name)!;
    const opening = <C extends { open(): StreamId }>(name: EngineComponent, component: C): C => ({
      ...component,
      open: () => {
        const stream = component.open();
        of(name).streams.add(stream);
        return stream;
      },
    });
    this.engine = {
      ...stepping,
      languageModel: {
        ...opening('languageModel', languageModel),
        truncate: (sequence, length) =>
          of('languageModel').whenReady(() => languageModel.truncate(sequence, length)),
      },
      audioEncoder: {
        ...opening('audioEncoder', audioEncoder),
        fork: stream => {
          const copy = audioEncoder.fork(stream);
          if (of('audioEncoder').streams.has(stream)) of('audioEncoder').streams.add(copy);
          return copy;
        },
      },
      ganDecoder: opening('ganDecoder', ganDecoder),
      lifecycle: {
        state: name => of(name).state,
        hosts: () => [],
        supervise: listener => {
          this.#listener = listener;
        },
        start: name => this.#start(name),
        giveUp: (name, error) => this.#down(name, error),
        refuse: (name, error) => of(name).refuse(error),
        prepareStandby: () => this.standbysAtMs.push(this.#clock.nowMs()),
        releaseStandby: () => this.standbysReleasedAtMs.push(this.#clock.nowMs()),
        hasStandby: false,
      },
    };
  }

  /** The last fault is not over. */
  isStruck(name: EngineComponent): boolean {
    return this.#components.get(name)!.next !== null || this.#hitAtMs.has(name);
  }

  /** At the component's next step; `kill` at once. */
  strike(name: EngineComponent, fault: Fault): void {
    const component = this.#components.get(name)!;
    if (fault === 'kill') {
      if (component.pending.size > 0) this.#hit(name);
      const values = { component: name };
      this.#down(name, new RuntimeError('engine.failed', 'The thread of a component died.', values));
    } else component.next = fault;
  }

  #hit(name: EngineComponent): void {
    if (!this.#hitAtMs.has(name)) this.#hitAtMs.set(name, this.#clock.nowMs());
  }

  #answered(name: EngineComponent): void {
    const hitAtMs = this.#hitAtMs.get(name);
    if (hitAtMs !== undefined) this.recoveredAfterMs.push(this.#clock.nowMs() - hitAtMs);
    this.#hitAtMs.delete(name);
  }

  #start(name: EngineComponent): void {
    const component = this.#components.get(name)!;
    if (component.state !== 'down') return;
    component.state = 'starting';
    this.#listener(name, 'starting', null);
    if (this.loadMs === Number.POSITIVE_INFINITY) return;
    this.#clock.setTimer(this.loadMs, () => {
      component.ready();
      this.#listener(name, 'ready', null);
    });
  }

  #down(name: EngineComponent, error: RuntimeError): void {
    const component = this.#components.get(name)!;
    if (component.state === 'down') return;
    component.down(error);
    this.#listener(name, 'down', error);
  }

  #step<Work, Answer>(
    name: EngineComponent,
    batch: readonly Work[],
    step: (batch: readonly Work[]) => PromiseLike<(Answer | null)[]>,
  ): Promise<(Answer | null)[]> {
    const component = this.#components.get(name)!;
    return new Promise((resolve, reject) => {
      const fail = (error: RuntimeError) => {
        component.pending.delete(fail);
        reject(error);
      };
      component.pending.add(fail);
      component.whenReady(() => {
        if (!component.pending.has(fail)) return;
        const lost = batch.some(work => component.isLost(work));
        if (lost) return fail(new RuntimeError('engine.stream-lost', 'The stream was lost.'));
        const fault = component.next;
        component.next = null;
        if (fault) this.#hit(name);
        if (fault === 'hang') return;
        if (fault === 'throw') return fail(new RuntimeError('engine.failed', 'A scripted failure.'));
        step(batch).then(answers => {
          const answer = () => {
            if (!component.pending.delete(fail)) return;
            this.#answered(name);
            resolve(answers);
          };
          if (fault === 'slow') this.#clock.setTimer(this.#slowMs, answer);
          else answer();
        }, fail);
      });
    });
  }
}

class Component {
  state: ComponentState = 'ready';
  next: Fault | null = null;
  readonly streams = new Set<StreamId>();
  readonly pending = new Set<(error: RuntimeError) => void>();
  #waiting: (() => void)[] = [];

  isLost(work: unknown): boolean {
    const { sequence, stream } = work as { sequence?: StreamId; stream?: StreamId };
    const id = sequence ?? stream;
    return id !== undefined && !this.streams.has(id);
  }

  whenReady(action: () => void): void {
    if (this.state === 'ready') action();
    else this.#waiting.push(action);
  }

  ready(): void {
    this.state = 'ready';
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const action of waiting) action();
  }

  down(error: RuntimeError): void {
    this.state = 'down';
    this.streams.clear();
    this.refuse(error);
  }

  refuse(error: RuntimeError): void {
    for (const fail of [...this.pending]) fail(error);
  }
}
