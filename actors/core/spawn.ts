/**
 * A running actor: mailbox, behaviour, supervision.
 *
 *   send ─► mailbox ─► pump ─► inbox ─► behaviour ─► output$
 *                       ▲                  │ error
 *                       └──── restart ◄────┘   too often: after a pause, or failed and its sessions are told
 *
 * Delivery is run to completion on the sender's stack: what is sent to an actor while it handles a message (or starts)
 * waits in the mailbox, and the pump that is already running takes it. So do its timers that fall due meanwhile. Errors
 * of a behaviour never reach its senders.
 */
import type { Observable, Subscription } from 'rxjs';
import { RuntimeError } from '../../kernels/errors.ts';
import {
  type ActorContext,
  type ActorDefinition,
  type ActorRef,
  type Delivered,
  type Inbox,
  NEVER_GIVEN_UP,
  type SupervisionPolicy,
} from './actor.ts';
import { ActorClock } from './actor-clock.ts';
import type { Timer } from './clock.ts';
import { createLogger } from './logger.ts';
import { Mailbox, type PortCounters } from './mailbox.ts';
import type { Envelope } from './message.ts';
import { Outlet } from './outlet.ts';
import { RestartDelay } from './restart-delay.ts';
import type { ActorSystem, SystemMember } from './system.ts';

/** What `spawn` gives to whoever supervises: the reference, and the counters, which all actors of its name share. */
export interface SpawnedActor<Ports, Out> extends ActorRef<Ports, Out> {
  counters(port: keyof Ports): Readonly<PortCounters>;
  readonly waiting: number;
}

/** Starts the actor at once. It runs until `stop`, the system's `stop`, its own completion or too many failures. */
export function spawn<Ports, Out>(
  definition: ActorDefinition<Ports, Out>,
  system: ActorSystem,
): SpawnedActor<Ports, Out> {
  return new RunningActor(definition, system);
}

const NOTHING: readonly never[] = [];

type State = 'running' | 'stopped' | 'ended' | 'failed';

class RunningActor<Ports, Out> implements SpawnedActor<Ports, Out>, SystemMember {
  readonly name: string;
  readonly output$: Observable<Envelope<Out>>;
  readonly #definition: ActorDefinition<Ports, Out>;
  readonly #system: ActorSystem;
  readonly #context: ActorContext;
  readonly #clock: ActorClock;
  /** Callbacks of timers that are due. */
  readonly #due: (() => void)[] = [];
  readonly #mailbox: Mailbox<Ports>;
  readonly #inbox: Inbox<Ports>;
  readonly #deliveries = new Outlet<Delivered<Ports>>(() => this.#pump());
  readonly #readable = new Outlet<void>(() => {
    this.#toSignal = this.#mailbox.size > 0;
    this.#pump();
  });
  readonly #output = new Outlet<Envelope<Out>>();
  readonly #sessions = new Set<string>();
  #lastSession: string | null = null;
  readonly #restartsAtMs: number[] = [];
  readonly #delay = new RestartDelay();
  #pause: Timer | null = null;
  #behaviour: Subscription | undefined;
  #state: State = 'running';
  #pumping = false;
  #toStart = true;
  #toSignal = false;
  #failure: { readonly cause: unknown } | null = null;

  constructor(definition: ActorDefinition<Ports, Out>, system: ActorSystem) {
    const { name } = definition;
    this.name = name;
    this.output$ = this.#output.values$;
    this.#definition = definition;
    this.#system = system;
    this.#clock = new ActorClock(system.clock, callback => this.#fallsDue(callback));
    this.#context = {
      name,
      clock: this.#clock,
      random: system.random.split(name),
      log: createLogger(system.log, { actor: name }),
    };
    this.#mailbox = new Mailbox(name, definition.ports, system.epochs, port => system.countersOf(name, port));
    this.#inbox = this.#makeInbox();
    system.join(this);
    this.#pump();
  }

  get waiting(): number {
    return this.#mailbox.size;
  }

  counters(port: keyof Ports): Readonly<PortCounters> {
    return this.#mailbox.counters(port);
  }

  send<P extends keyof Ports>(port: P, message: Envelope<Ports[P]>): void {
    if (this.#state === 'stopped') return;
    if (this.#state !== 'running') {
      this.#tell(message.session, this.#gone());
      return;
    }
    if (this.#isIdle && this.#deliveries.isHeard) {
      this.#hand(port, message);
      return;
    }
    try {
      if (!this.#mailbox.put(port, message)) return;
    } catch (error) {
      if (!(error instanceof RuntimeError) || error.code !== 'mailbox.overflow') throw error;
      this.#tell(message.session, error);
      return;
    }
    this.#serves(message.session);
    this.#toSignal = true;
    this.#pump();
  }

  stop(): void {
    this.#finish('stopped');
  }

  forget(session: string): void {
    this.#mailbox.discard(session);
    this.#sessions.delete(session);
    this.#lastSession = null;
  }

  #serves(session: string): void {
    if (session === this.#lastSession) return;
    this.#lastSession = session;
    if (this.#sessions.has(session)) return;
    this.#sessions.add(session);
    this.#system.serves(session, this);
  }

  #makeInbox(): Inbox<Ports> {
    return {
      messages$: this.#deliveries.values$,
      readable$: this.#readable.values$,
      take: max => this.#take(max),
      takeUrgent: () => (this.#state === 'running' ? this.#mailbox.takeUrgent() : null),
    };
  }

  #take(max: number): readonly Delivered<Ports>[] {
    if (this.#mailbox.size === 0) return NOTHING;
    const taken: Delivered<Ports>[] = [];
    while (taken.length < max) {
      const delivery = this.#mailbox.take();
      if (delivery === null) break;
      taken.push(delivery);
    }
    return taken;
  }

  /** Whatever is sent now is the next thing to do. */
  get #isIdle(): boolean {
    return (
      !this.#pumping &&
      this.#mailbox.size === 0 &&
      this.#due.length === 0 &&
      !this.#toStart &&
      this.#failure === null
    );
  }

  /** A message that need not wait in the mailbox. */
  #hand<P extends keyof Ports>(port: P, message: Envelope<Ports[P]>): void {
    const delivery = this.#mailbox.pass(port, message);
    if (delivery === null) return;
    this.#serves(message.session);
    this.#pumping = true;
    try {
      this.#deliveries.next(delivery);
    } finally {
      this.#pumping = false;
    }
    this.#pump();
  }

  /** A timer need not wait either. */
  #fallsDue(callback: () => void): void {
    if (this.#state !== 'running' || !this.#isIdle) {
      this.#due.push(callback);
      this.#pump();
      return;
    }
    this.#pumping = true;
    try {
      this.#runDue(callback);
    } finally {
      this.#pumping = false;
    }
    this.#pump();
  }

  /** Does whatever there is to do, one thing at a time, until there is nothing left. Never runs inside itself. */
  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      while (this.#state === 'running' && this.#doNext()) {}
    } finally {
      this.#pumping = false;
    }
  }

  #doNext(): boolean {
    if (this.#failure !== null) {
      this.#recover(this.#failure.cause);
      return true;
    }
    if (this.#toStart) {
      this.#start();
      return true;
    }
    if (this.#due.length > 0) {
      this.#runDue(this.#due.shift()!);
      return true;
    }
    if (this.#toSignal && this.#readable.isHeard) {
      this.#toSignal = false;
      this.#readable.next();
      return true;
    }
    const delivery = this.#deliveries.isHeard ? this.#mailbox.take() : null;
    if (delivery !== null) this.#deliveries.next(delivery);
    return delivery !== null;
  }

  #start(): void {
    this.#toStart = false;
    try {
      this.#behaviour = this.#definition.behaviour(this.#inbox, this.#context).subscribe({
        next: message => this.#output.next(message),
        error: cause => this.#fail(cause),
        complete: () => this.#finish('ended'),
      });
    } catch (cause) {
      this.#fail(cause);
    }
    // A behaviour that completed or was stopped while it was being subscribed.
    if (this.#state !== 'running') this.#behaviour?.unsubscribe();
  }

  #runDue(callback: () => void): void {
    try {
      callback();
    } catch (cause) {
      this.#fail(cause);
    }
  }

  #fail(cause: unknown): void {
    this.#failure = { cause };
    this.#pump();
  }

  #recover(cause: unknown): void {
    this.#failure = null;
    this.#stopBehaviour();
    const { supervision } = this.#definition;
    const nowMs = this.#system.clock.nowMs();
    if (supervision === NEVER_GIVEN_UP) {
      this.#restart(cause, this.#delay.next(nowMs));
      return;
    }
    const { maxRestarts, withinMs } = supervision;
    while (this.#restartsAtMs.length > 0 && nowMs - this.#restartsAtMs[0] >= withinMs)
      this.#restartsAtMs.shift();
    if (this.#restartsAtMs.length >= maxRestarts) {
      this.#giveUp(cause, supervision);
      return;
    }
    this.#restartsAtMs.push(nowMs);
    this.#restart(cause, 0);
  }

  #restart(cause: unknown, delayMs: number): void {
    this.#toStart = delayMs === 0;
    if (!this.#toStart) {
      this.#system.paused.add(this.name);
      this.#pause = this.#system.clock.setTimer(delayMs, () => {
        this.#resumed();
        this.#toStart = true;
        this.#pump();
      });
    }
    this.#system.reportRestart({ actor: this.name, sessions: [...this.#sessions], cause });
  }

  #resumed(): void {
    this.#pause?.cancel();
    this.#pause = null;
    this.#system.paused.delete(this.name);
  }

  #giveUp(cause: unknown, { maxRestarts, withinMs }: SupervisionPolicy): void {
    const sessions = [...this.#sessions];
    const values = { actor: this.name, maxRestarts, withinMs, cause: String(cause) };
    this.#context.log.error(values, 'actor failed for good');
    this.#finish('failed');
    for (const session of sessions) {
      const error = new RuntimeError(
        'actor.failed',
        'A component of the runtime failed too often.',
        values,
        REOPEN,
      );
      this.#tell(session, error);
    }
  }

  #finish(state: Exclude<State, 'running'>): void {
    if (this.#state !== 'running') return;
    this.#state = state;
    this.#resumed();
    this.#system.leave(this);
    this.#stopBehaviour();
    for (const session of this.#sessions) this.#mailbox.discard(session);
    this.#sessions.clear();
    this.#output.complete();
  }

  #stopBehaviour(): void {
    this.#behaviour?.unsubscribe();
    this.#clock.cancelTimers();
    this.#due.length = 0;
  }

  #gone(): RuntimeError {
    const code = this.#state === 'failed' ? 'actor.failed' : 'actor.ended';
    return new RuntimeError(
      code,
      'A component of the runtime is no longer there.',
      { actor: this.name },
      REOPEN,
    );
  }

  #tell(session: string, error: RuntimeError): void {
    this.#system.reportFailure({ session, actor: this.name, error });
  }
}

const REOPEN = 'Open the session again; if it happens again, look at the log for the cause.';
