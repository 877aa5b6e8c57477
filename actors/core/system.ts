/** What the actors of one process share: clock, randomness, log, epochs, and the news of what went wrong. */
import { type Observable, Subject } from 'rxjs';
import type { RuntimeError } from '../../kernels/errors.ts';
import type { Clock } from './clock.ts';
import { EpochRegistry } from './epochs.ts';
import type { Logger } from './logger.ts';
import { noCounts, type PortCounters } from './mailbox.ts';
import type { Random } from './random.ts';

/** A session that cannot go on: `mailbox.overflow`, `actor.failed` or `actor.ended`. */
export interface SessionFailure {
  readonly session: string;
  readonly actor: string;
  readonly error: RuntimeError;
}

/** An actor lost its state and began again; these sessions must bring it back from what is committed. */
export interface ActorRestart {
  readonly actor: string;
  readonly sessions: readonly string[];
  readonly cause: unknown;
}

/** What the system does with an actor. */
export interface SystemMember {
  forget(session: string): void;
  stop(): void;
}

export class ActorSystem {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly epochs = new EpochRegistry();
  /** Actors that wait before they begin again. */
  readonly paused = new Set<string>();
  readonly failures$: Observable<SessionFailure>;
  readonly restarts$: Observable<ActorRestart>;
  readonly #mailboxes = new Map<string, Map<string, PortCounters>>();
  readonly #failures = new Subject<SessionFailure>();
  readonly #restarts = new Subject<ActorRestart>();
  readonly #members = new Set<SystemMember>();
  /** By session, who has had a message of it: its end costs no more where there are many others. */
  readonly #serving = new Map<string, SystemMember[]>();

  constructor(given: Pick<ActorSystem, 'clock' | 'random' | 'log'>) {
    this.clock = given.clock;
    this.random = given.random;
    this.log = given.log;
    this.failures$ = this.#failures.asObservable();
    this.restarts$ = this.#restarts.asObservable();
  }

  /**
   * What became of all messages since the start, by name of actor and port; actors of one name count together, those
   * that are gone too.
   */
  get mailboxes(): ReadonlyMap<string, ReadonlyMap<string, Readonly<PortCounters>>> {
    return this.#mailboxes;
  }

  /** For `spawn`. */
  countersOf(actor: string, port: string): PortCounters {
    const ports = this.#mailboxes.get(actor) ?? new Map<string, PortCounters>();
    const counters = ports.get(port) ?? noCounts();
    this.#mailboxes.set(actor, ports.set(port, counters));
    return counters;
  }

  /** The session has ended: nothing of it is delivered or kept any more. */
  forget(session: string): void {
    this.epochs.forget(session);
    for (const member of this.#serving.get(session) ?? []) member.forget(session);
    this.#serving.delete(session);
  }

  /**
   * Stops the actors, last spawned first: an actor is spawned after those it sends to, so no message meets a stopped
   * one.
   */
  stop(): void {
    for (const member of [...this.#members].reverse()) member.stop();
    this.#failures.complete();
    this.#restarts.complete();
  }

  /** For `spawn`. */
  join(member: SystemMember): void {
    this.#members.add(member);
  }

  /** For `spawn`: the member has its first message of the session. */
  serves(session: string, member: SystemMember): void {
    const serving = this.#serving.get(session);
    if (serving) serving.push(member);
    else this.#serving.set(session, [member]);
  }

  /** For `spawn`. */
  leave(member: SystemMember): void {
    this.#members.delete(member);
  }

  /** For `spawn`. */
  reportFailure(failure: SessionFailure): void {
    this.log.error(
      { session: failure.session, actor: failure.actor, code: failure.error.code },
      failure.error.message,
    );
    this.#failures.next(failure);
  }

  /** For `spawn`. */
  reportRestart(restart: ActorRestart): void {
    this.log.warn({ actor: restart.actor, cause: String(restart.cause) }, 'actor restarted');
    this.#restarts.next(restart);
  }
}
