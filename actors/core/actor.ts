import type { Observable } from 'rxjs';
import type { Clock } from './clock.ts';
import type { Logger } from './logger.ts';
import type { Envelope, PortPolicy } from './message.ts';
import type { Random } from './random.ts';

/** What an actor gets instead of globals. */
export interface ActorContext {
  readonly name: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** One message as it leaves the mailbox. */
export type Delivered<Ports> = {
  [P in keyof Ports]: { readonly port: P; readonly message: Envelope<Ports[P]> };
}[keyof Ports];

/** The receiving side of a mailbox. Control ports (`never-drop`) are served before media, each port in order. */
export interface Inbox<Ports> {
  /** Messages one by one, run to completion: the next is delivered after everything downstream has returned. */
  readonly messages$: Observable<Delivered<Ports>>;
  /** Fires when something is there to take. Use either this or `messages$`. */
  readonly readable$: Observable<void>;
  /** For actors that batch: what else waits. */
  take(max: number): readonly Delivered<Ports>[];
  /**
   * The next control message, if one waits: for who handles a long message piece by piece, so that control need not
   * wait for its end.
   */
  takeUrgent(): Delivered<Ports> | null;
}

/** A named RxJS behaviour with typed ports, a bounded mailbox and a supervision policy (ARCHITECTURE.md §3). */
export interface ActorDefinition<Ports, Out> {
  readonly name: string;
  readonly ports: { readonly [P in keyof Ports]: PortPolicy };
  /** Called at start and at each restart; state that must survive a restart lives outside. */
  readonly behaviour: (inbox: Inbox<Ports>, context: ActorContext) => Observable<Envelope<Out>>;
  readonly supervision: SupervisionPolicy | typeof NEVER_GIVEN_UP;
}

/**
 * For what all sessions share: restarted again and again, with pauses that grow (`RestartDelay`); what is sent
 * meanwhile waits.
 */
export const NEVER_GIVEN_UP = 'never-given-up';

export interface SupervisionPolicy {
  /** At most this many restarts within the window; then the actor's sessions end with `actor.failed`. */
  readonly maxRestarts: number;
  readonly withinMs: number;
}

export interface ActorRef<Ports, Out> {
  readonly name: string;
  send<P extends keyof Ports>(port: P, message: Envelope<Ports[P]>): void;
  readonly output$: Observable<Envelope<Out>>;
  stop(): void;
}
