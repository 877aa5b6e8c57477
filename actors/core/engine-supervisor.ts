/**
 * Keeps the components of an engine alive: a deadline for each step, another thread where one died or hangs, with
 * pauses that grow while it goes on failing; a line in the log and a message to the metrics for every fault.
 *
 *   ready ──died, or a step overdue, or steps failing in a row──► down ──pause──► starting ──► ready
 *     ▲                                                             ▲                │ could not be loaded
 *     └── what was asked of it meanwhile is done                    └────────────────┘
 *
 * What waits for a component longer than `MAX_WAIT_MS` is refused with `engine.component-down`, which ends its session
 * readably. The face goes around the innermost engine, on the machine's own clock: whoever records or simulates above
 * it sees a step that failed and nothing of deadlines.
 */
import { Subject } from 'rxjs';
import {
  type ComponentState,
  ENGINE_COMPONENTS,
  type Engine,
  type EngineComponent,
  type LanguageModelAnswer,
  PartlyFailed,
} from '../../kernels/engine/index.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import type { ComponentFault, ComponentRecovery, FaultKind, RuntimeHealth } from '../health.ts';
import type { Clock, Timer } from './clock.ts';
import { engineWithSteps } from './engine-steps.ts';
import type { Logger } from './logger.ts';
import { RestartDelay } from './restart-delay.ts';
import { StandbyKeeper } from './standby-keeper.ts';
import { stepSize } from './step-cost.ts';
import { StepWatch } from './step-watch.ts';

/** What a caller hears nothing for at most; then sessions that need the component end. */
export const MAX_WAIT_MS = 5000;
/**
 * Loading takes a processor for a second, and right after a fault everybody waits for what the component owes. So the
 * next standby is begun this long after the one before took over.
 */
const PREPARE_STANDBY_AFTER_MS = 3000;
/** Steps failing one after the other, with no success between: the component itself is ill and is started again. */
const MAX_ERRORS_IN_A_ROW = 2;
/** One of those that serve a component is gone. */
const HOST_LOST = 'remote.host-lost';
/** The caller's own mistakes and what follows from a fault that was told already. */
const NO_FAULTS: ReadonlySet<string> = new Set([
  'engine.closed',
  'engine.component-down',
  'engine.component-missing',
  'engine.duplicate-stream',
  'engine.overloaded',
  'engine.stream-closed',
  'engine.stream-lost',
]);

export interface SupervisionOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** What a step may take where nothing is known of its size that says more. */
  readonly stepDeadlineMs: number;
}

export interface SupervisedEngine {
  readonly engine: Engine;
  readonly health: RuntimeHealth;
  /** It is warm: from now on who asks for a step is a caller, and a thread stands by. */
  keepStandby(): void;
}

/**
 * The engine, supervised, and how it is. One without a lifecycle cannot be started again: its steps only get their
 * deadline.
 */
export function superviseEngine(engine: Engine, options: SupervisionOptions): SupervisedEngine {
  const faults = new Subject<ComponentFault>();
  const recoveries = new Subject<ComponentRecovery>();
  const report: Report = {
    fault: fault => {
      const { component, kind, code, message } = fault;
      options.log.error({ component, kind, code, cause: message }, 'component fault');
      faults.next(fault);
    },
    recovery: recovery => {
      options.log.info({ ...recovery }, 'component serves again');
      recoveries.next(recovery);
    },
  };
  const components = new Map(
    ENGINE_COMPONENTS.map(name => [name, new SupervisedComponent(name, engine, options, report)]),
  );
  engine.lifecycle?.supervise((name, state, error) => components.get(name)!.changed(state, error));
  let standby: StandbyKeeper | null = null;
  const keepStandby = () => {
    if (engine.lifecycle) standby ??= new StandbyKeeper(engine.lifecycle, options.clock);
  };
  const supervised = engineWithSteps(engine, (name, batch, step) => {
    standby?.used();
    return components.get(name)!.step(batch, step);
  });
  const close = async () => {
    standby?.close();
    for (const component of components.values()) component.close();
    await engine.close();
  };
  const health = {
    get components() {
      return new Map([...components].map(([name, { state }]) => [nameOf(name), state]));
    },
    get hosts() {
      const hostsOf = (name: EngineComponent) => engine.lifecycle?.hosts(name) ?? [];
      return new Map(ENGINE_COMPONENTS.map(name => [nameOf(name), hostsOf(name)]));
    },
    faults$: faults.asObservable(),
    recoveries$: recoveries.asObservable(),
  };
  return { engine: { ...supervised, close }, health, keepStandby };
}

interface Report {
  fault(fault: ComponentFault): void;
  recovery(recovery: ComponentRecovery): void;
}

/** What is remembered here proves nothing of the server; what it predicted does. */
const isPredicted = (answer: unknown): boolean =>
  (answer as LanguageModelAnswer | null)?.sampled !== undefined;

/** `languageModel` is called `language-model` wherever people read it. */
export function nameOf(component: EngineComponent): string {
  return component.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`);
}

class SupervisedComponent {
  readonly #name: EngineComponent;
  readonly #engine: Engine;
  readonly #options: SupervisionOptions;
  readonly #report: Report;
  readonly #watch: StepWatch;
  readonly #delay = new RestartDelay();
  /** What its steps are refused with while too much time has passed without it. */
  #refusal: RuntimeError | null = null;
  /** Errors that this supervisor or the engine gave to many steps at once: told already. */
  readonly #told = new WeakSet<object>();
  readonly #timers = new Set<Timer>();
  readonly #rejects = new Map<object, (error: RuntimeError) => void>();
  #errorsInARow = 0;
  #downSinceMs: number | null = null;
  #isClosed = false;

  constructor(name: EngineComponent, engine: Engine, options: SupervisionOptions, report: Report) {
    this.#name = name;
    this.#engine = engine;
    this.#options = options;
    this.#report = report;
    this.#watch = new StepWatch(options.clock, options.stepDeadlineMs, {
      overdue: (step, tookMs, deadlineMs) => this.#overdue(step, tookMs, deadlineMs),
      slow: (_, tookMs, deadlineMs) => {
        const message = `A step took ${Math.round(tookMs)} ms of ${Math.round(deadlineMs)}.`;
        this.#fault('slow', new RuntimeError('engine.slow', message));
      },
    });
  }

  get state(): ComponentState {
    return this.#engine.lifecycle?.state(this.#name) ?? 'ready';
  }

  step<Work, Answer>(
    batch: readonly Work[],
    step: (batch: readonly Work[]) => PromiseLike<(Answer | null)[]>,
  ): Promise<(Answer | null)[]> {
    if (this.#keepsOwnDeadlines) return this.#unwatched(batch, step);
    if (this.#refusal) return Promise.reject(this.#refusal);
    const watched = this.#watch.begin(stepSize(this.#name, batch));
    return new Promise((resolve, reject) => {
      this.#rejects.set(watched, reject);
      step(batch).then(
        answers => {
          this.#rejects.delete(watched);
          this.#errorsInARow = 0;
          this.#watch.answered(watched);
          resolve(answers);
        },
        error => {
          this.#rejects.delete(watched);
          this.#watch.ended(watched);
          reject(error);
          this.#failed(error);
        },
      );
    });
  }

  /** Its steps take as long as another server's replies do, and wait for it there: only what fails is told. */
  #unwatched<Work, Answer>(
    batch: readonly Work[],
    step: (batch: readonly Work[]) => PromiseLike<(Answer | null)[]>,
  ): Promise<(Answer | null)[]> {
    return Promise.resolve(step(batch)).then(
      answers => {
        if (answers.some(isPredicted)) this.#errorsInARow = 0;
        return answers;
      },
      error => {
        this.#failed(error);
        throw error;
      },
    );
  }

  get #keepsOwnDeadlines(): boolean {
    return this.#name === 'languageModel' && this.#engine.languageModel.endReply !== undefined;
  }

  /** The engine says how the component stands. */
  changed(state: ComponentState, error: RuntimeError | null): void {
    if (this.#isClosed) return;
    if (state === 'ready') this.#serves();
    else if (state === 'down' && error) this.#isDown(error);
  }

  close(): void {
    this.#isClosed = true;
    this.#watch.hold();
    for (const timer of this.#timers) timer.cancel();
  }

  #serves(): void {
    this.#refusal = null;
    this.#watch.resume();
    const { clock } = this.#options;
    if (this.#downSinceMs === null) return;
    const downMs = Math.round(clock.nowMs() - this.#downSinceMs);
    this.#downSinceMs = null;
    this.#report.recovery({ component: nameOf(this.#name), downMs });
    this.#in(PREPARE_STANDBY_AFTER_MS, () => this.#engine.lifecycle?.prepareStandby());
  }

  #isDown(error: RuntimeError): void {
    this.#watch.hold();
    const { clock } = this.#options;
    if (!this.#told.has(error)) this.#fault(this.#downSinceMs === null ? 'crash' : 'load', error);
    this.#told.add(error);
    this.#errorsInARow = 0;
    if (this.#downSinceMs === null) {
      this.#downSinceMs = clock.nowMs();
      this.#in(MAX_WAIT_MS, () => this.#refuse(error));
    }
    this.#in(this.#delay.next(clock.nowMs()), () => this.#engine.lifecycle?.start(this.#name));
  }

  /** Nobody waits for ever: what waits now, and what comes before the component is back, is refused. */
  #refuse(cause: RuntimeError): void {
    const downMs = this.#downSinceMs === null ? 0 : this.#options.clock.nowMs() - this.#downSinceMs;
    if (downMs < MAX_WAIT_MS) return; // It served in between.
    this.#refusal = new RuntimeError(
      'engine.component-down',
      'A component of the runtime is down.',
      { component: nameOf(this.#name), cause: cause.message },
      'Open the session again when /readyz says ready.',
    );
    this.#engine.lifecycle?.refuse(this.#name, this.#refusal);
  }

  #overdue(step: object, tookMs: number, deadlineMs: number): void {
    const component = nameOf(this.#name);
    const values = { component, tookMs: Math.round(tookMs), deadlineMs: Math.round(deadlineMs) };
    const error = new RuntimeError('engine.overdue', 'A step did not end within its deadline.', values);
    this.#fault('overdue', error);
    this.#giveUp(error);
    // Where others serve, each work that was theirs has its own end; else all have this one, if they have none yet.
    if ((this.#engine.lifecycle?.hosts(this.#name) ?? []).length === 0) this.#rejects.get(step)?.(error);
    this.#rejects.delete(step);
  }

  #failed(error: unknown): void {
    if (this.#isClosed || (error instanceof RuntimeError && NO_FAULTS.has(error.code))) return;
    if (typeof error === 'object' && error !== null && this.#told.has(error)) return;
    if (error instanceof PartlyFailed) {
      for (const one of error.errors) this.#failedThere(one);
      return;
    }
    if (error instanceof RuntimeError && error.code === HOST_LOST) {
      this.#failedThere(error);
      return;
    }
    this.#fault('error', error);
    if (++this.#errorsInARow < MAX_ERRORS_IN_A_ROW) return;
    const values = { component: nameOf(this.#name), steps: MAX_ERRORS_IN_A_ROW };
    this.#giveUp(
      new RuntimeError('engine.failed', 'Steps of a component failed one after the other.', values),
    );
  }

  /** On one of several hosts: the component itself serves. */
  #failedThere(error: RuntimeError): void {
    if (NO_FAULTS.has(error.code) || this.#told.has(error)) return;
    this.#told.add(error);
    this.#fault(error.code === HOST_LOST ? 'crash' : 'error', error);
  }

  #giveUp(error: RuntimeError): void {
    this.#told.add(error);
    this.#errorsInARow = 0;
    this.#engine.lifecycle?.giveUp(this.#name, error);
  }

  #fault(kind: FaultKind, error: unknown): void {
    const code = error instanceof RuntimeError ? error.code : 'engine.failed';
    const message = error instanceof Error ? error.message : String(error);
    const atMs = this.#options.clock.nowMs();
    this.#report.fault({ component: nameOf(this.#name), kind, code, message, atMs });
  }

  #in(delayMs: number, action: () => void): void {
    const timer = this.#options.clock.setTimer(delayMs, () => {
      this.#timers.delete(timer);
      action();
    });
    this.#timers.add(timer);
  }
}
