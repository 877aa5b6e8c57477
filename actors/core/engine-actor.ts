import { Observable } from 'rxjs';
import { PartlyFailed } from '../../kernels/engine/index.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import type { ActorContext, ActorDefinition, Delivered, Inbox } from './actor.ts';
import type { Address, Envelope } from './message.ts';

/** Messages taken from the mailbox at a time; the actor reads until it is empty. */
const READ_AT_ONCE = 256;

/** One work item of the next engine step, and who hears of it. Exactly one of the two is called. */
export interface Plan<Work, Answer> {
  readonly work: Work;
  /** Null: its stream was closed meanwhile. */
  answered(answer: Answer | null): void;
  failed(error: RuntimeError): void;
}

/** What an engine-owning actor does; the loop around it reads the mailbox and runs the engine. */
export interface EngineDesk<Ports, Work, Answer> {
  receive(delivery: Delivered<Ports>): void;
  /** The next batch: at most one item per stream; empty when there is nothing to do. */
  plan(): Plan<Work, Answer>[];
  /** Gives the engine's streams back. */
  stop(): void;
}

export type Emit<Out> = (address: Address, body: Out) => void;

/**
 * The behaviour of an actor that owns an engine component and batches over all sessions: one step at a time, the next
 * as soon as it is answered; what arrives during a step is part of the next one. What a desk or its listeners throw
 * reaches the supervisor.
 *
 * @param apart every work is a step of its own, sent at once: none waits for another's answer
 */
export function engineBehaviour<Ports, Out, Work, Answer>(
  open: (context: ActorContext, emit: Emit<Out>) => EngineDesk<Ports, Work, Answer>,
  step: (batch: readonly Work[]) => PromiseLike<(Answer | null)[]>,
  apart = false,
): ActorDefinition<Ports, Out>['behaviour'] {
  return (inbox, context) =>
    new Observable<Envelope<Out>>(subscriber => {
      const desk = open(context, ({ session, turn, epoch }, body) =>
        subscriber.next({ session, turn, epoch, body }),
      );
      const loop = new StepLoop(desk, step, apart, error => subscriber.error(error));
      const reading = inbox.messages$.subscribe(delivery => loop.read(delivery, inbox));
      loop.start();
      return () => {
        reading.unsubscribe();
        loop.stop();
        desk.stop();
      };
    });
}

class StepLoop<Ports, Work, Answer> {
  readonly #desk: EngineDesk<Ports, Work, Answer>;
  readonly #engineStep: (batch: readonly Work[]) => PromiseLike<(Answer | null)[]>;
  readonly #isApart: boolean;
  readonly #onDefect: (error: unknown) => void;
  #isStepping = false;
  #isStopped = false;

  constructor(
    desk: EngineDesk<Ports, Work, Answer>,
    step: (batch: readonly Work[]) => PromiseLike<(Answer | null)[]>,
    isApart: boolean,
    onDefect: (error: unknown) => void,
  ) {
    this.#desk = desk;
    this.#engineStep = step;
    this.#isApart = isApart;
    this.#onDefect = onDefect;
  }

  /** A message and whatever waits behind it, and only then the next step. */
  read(first: Delivered<Ports>, inbox: Inbox<Ports>): void {
    try {
      this.#desk.receive(first);
      for (let taken = inbox.take(READ_AT_ONCE); taken.length > 0; taken = inbox.take(READ_AT_ONCE)) {
        for (const delivery of taken) this.#desk.receive(delivery);
      }
      this.#tick();
    } catch (error) {
      this.#onDefect(error);
    }
  }

  start(): void {
    this.#guard(() => this.#tick());
  }

  stop(): void {
    this.#isStopped = true;
  }

  /** Starts the next step when none is running and there is something to do. */
  #tick(): void {
    if (this.#isStepping || this.#isStopped) return;
    this.#isStepping = true; // Also while planning: its listeners may send, and end up here again.
    let plans = this.#desk.plan();
    if (this.#isApart) {
      for (; plans.length > 0; plans = this.#desk.plan()) for (const plan of plans) this.#step([plan]);
      this.#isStepping = false;
    } else if (plans.length > 0) this.#step(plans);
    else this.#isStepping = false;
  }

  #step(plans: readonly Plan<Work, Answer>[]): void {
    this.#engineStep(plans.map(({ work }) => work)).then(
      answers => this.#arrived((plan, i) => plan.answered(answers[i]), plans),
      error => this.#arrived((plan, i) => fail(plan, i, error), plans),
    );
  }

  #arrived(
    deliver: (plan: Plan<Work, Answer>, i: number) => void,
    plans: readonly Plan<Work, Answer>[],
  ): void {
    if (this.#isStopped) return;
    this.#guard(() => {
      plans.forEach(deliver);
      this.#isStepping = false;
      this.#tick();
    });
  }

  #guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#onDefect(error);
    }
  }
}

/** Of a step that has failed in part each work has its own end. */
function fail<Work, Answer>(plan: Plan<Work, Answer>, at: number, error: unknown): void {
  const end = error instanceof PartlyFailed ? error.ends[at] : error;
  if (error instanceof PartlyFailed && !(end instanceof RuntimeError)) plan.answered(end as Answer | null);
  else plan.failed(asRuntimeError(end));
}

/**
 * Keeps one poisonous input from harming others. Those whose last step failed take turns in steps of their own, every
 * other step, until they have succeeded; the others go on together.
 */
export class Quarantine {
  #wasAlone = false;

  choose<T>(all: readonly T[], isSuspect: (one: T) => boolean): readonly T[] {
    if (!all.some(isSuspect)) {
      this.#wasAlone = false;
      return all;
    }
    const suspects = all.filter(isSuspect);
    const others = all.filter(one => !isSuspect(one));
    this.#wasAlone = suspects.length > 0 && !(this.#wasAlone && others.length > 0);
    return this.#wasAlone ? suspects.slice(0, 1) : others;
  }
}

/**
 * After these nothing is gained by trying again: what was waited for long enough is not there, or would be the same.
 */
const IN_VAIN: ReadonlySet<string> = new Set([
  'engine.component-down',
  'sglang.diverged',
  'sglang.slow',
  'sglang.vectors',
]);

/**
 * What a failed step counts for whose work it was. Whoever lost his stream because another's work brought the component
 * down has failed at nothing.
 */
export function failuresAfter(failures: number, { code }: { readonly code: string }): number {
  if (code === 'engine.stream-lost') return failures;
  return IN_VAIN.has(code) ? Number.POSITIVE_INFINITY : failures + 1;
}

function asRuntimeError(error: unknown): RuntimeError {
  if (error instanceof RuntimeError) return error;
  const cause = error instanceof Error ? error.message : String(error);
  return new RuntimeError('engine.failed', 'The engine failed.', { cause });
}
