/**
 * An actor's bounded mailbox.
 *
 *   control lane  ──c2─c1─►┐          ports with `never-drop`, in order of arrival
 *                          ├─► take   control first
 *   media lane  ──a3─v2─a1─►┘         all other ports, in order of arrival
 *
 * A port's capacity counts per session, so that one session's flood neither ends another nor drops its pictures. The
 * whole is bounded by ports × sessions × capacity.
 */
import { RuntimeError } from '../../kernels/errors.ts';
import type { Delivered } from './actor.ts';
import type { EpochRegistry } from './epochs.ts';
import type { Envelope, PortPolicy } from './message.ts';

/** What became of the messages sent to one port. */
export interface PortCounters {
  accepted: number;
  taken: number;
  /** Dropped because their epoch was over, on arrival or while waiting. */
  stale: number;
  /** Dropped by `keep-newest` in favour of a newer one. */
  dropped: number;
  /** Refused at the bound of a `fail` or `never-drop` port. */
  overflowed: number;
  /** Dropped because their session is over, on arrival or while waiting. */
  discarded: number;
}

export const noCounts = (): PortCounters => ({
  ...{ accepted: 0, taken: 0, stale: 0 },
  ...{ dropped: 0, overflowed: 0, discarded: 0 },
});

interface Node<Ports> {
  readonly delivery: Delivered<Ports>;
  previous: Node<Ports> | null;
  next: Node<Ports> | null;
}

/** All waiting messages of one urgency, in order of arrival. */
class Lane<Ports> {
  head: Node<Ports> | null = null;
  #tail: Node<Ports> | null = null;

  append(delivery: Delivered<Ports>): Node<Ports> {
    const node: Node<Ports> = { delivery, previous: this.#tail, next: null };
    if (this.#tail) this.#tail.next = node;
    else this.head = node;
    this.#tail = node;
    return node;
  }

  remove(node: Node<Ports>): void {
    if (node.previous) node.previous.next = node.next;
    else this.head = node.next;
    if (node.next) node.next.previous = node.previous;
    else this.#tail = node.previous;
  }
}

/** One port: its lane, and how many messages of each session wait there. */
interface Port<Ports> {
  readonly name: keyof Ports;
  readonly policy: PortPolicy;
  readonly lane: Lane<Ports>;
  readonly waiting: Map<string, number>;
  readonly counters: PortCounters;
}

export class Mailbox<Ports> {
  readonly #ports = new Map<keyof Ports, Port<Ports>>();
  readonly #control = new Lane<Ports>();
  readonly #media = new Lane<Ports>();
  readonly #epochs: EpochRegistry;
  readonly #actor: string;
  #size = 0;
  /** Messages come in runs on the same port. */
  #asked: Port<Ports> | null = null;

  /** `countersOf`: where a port counts, which mailboxes of one name may share; absent: each its own. */
  constructor(
    actor: string,
    policies: { readonly [P in keyof Ports]: PortPolicy },
    epochs: EpochRegistry,
    countersOf: (port: string) => PortCounters = noCounts,
  ) {
    this.#actor = actor;
    this.#epochs = epochs;
    for (const name of Object.keys(policies) as (keyof Ports)[]) {
      const policy = policies[name];
      if (!Number.isInteger(policy.capacity) || policy.capacity < 1) {
        throw new RuntimeError(
          'mailbox.bad-capacity',
          'A port holds at least one message.',
          { actor, port: name, capacity: policy.capacity },
          'Give the port a positive integer capacity.',
        );
      }
      const lane = policy.overflow === 'never-drop' ? this.#control : this.#media;
      const counters = countersOf(String(name));
      this.#ports.set(name, { name, policy, lane, waiting: new Map(), counters });
    }
  }

  /** Messages waiting; stale ones that nobody has come across yet are included. */
  get size(): number {
    return this.#size;
  }

  counters(port: keyof Ports): Readonly<PortCounters> {
    return this.#port(port).counters;
  }

  /**
   * Returns whether the message was taken in; false when it comes too late, because its epoch or its session is over.
   * Error `mailbox.overflow` at the bound of a `fail` or `never-drop` port: the message's session has to end.
   */
  put<P extends keyof Ports>(name: P, message: Envelope<Ports[P]>): boolean {
    const port = this.#port(name);
    if (!this.#accepts(port, message)) return false;
    const { session } = message;
    let waiting = this.#waitingOf(port, session);
    if (waiting >= port.policy.capacity) {
      this.#makeRoom(port, session);
      waiting = this.#waitingOf(port, session);
    }
    port.lane.append({ port: name, message } as Delivered<Ports>);
    port.waiting.set(session, waiting + 1);
    port.counters.accepted++;
    this.#size++;
    return true;
  }

  /** `put` and `take` in one, for a mailbox in which nothing waits; null when the message comes too late. */
  pass<P extends keyof Ports>(name: P, message: Envelope<Ports[P]>): Delivered<Ports> | null {
    const port = this.#port(name);
    if (!this.#accepts(port, message)) return null;
    port.counters.accepted++;
    port.counters.taken++;
    return { port: name, message } as Delivered<Ports>;
  }

  /** The next message whose epoch is not over; null when there is none. */
  take(): Delivered<Ports> | null {
    return this.#takeFrom(this.#control) ?? this.#takeFrom(this.#media);
  }

  /** The next control message; null when there is none. */
  takeUrgent(): Delivered<Ports> | null {
    return this.#takeFrom(this.#control);
  }

  /** Drops everything of a session that has ended. */
  discard(session: string): void {
    for (const port of this.#ports.values()) {
      for (const node of this.#nodesOf(port, session)) {
        this.#remove(port, node);
        port.counters.discarded++;
      }
      port.waiting.delete(session);
    }
  }

  #takeFrom(lane: Lane<Ports>): Delivered<Ports> | null {
    while (lane.head) {
      const { delivery } = lane.head;
      const port = this.#port(delivery.port);
      this.#remove(port, lane.head);
      if (!this.#isStale(port, delivery.message)) {
        port.counters.taken++;
        return delivery;
      }
      port.counters.stale++;
    }
    return null;
  }

  /** False, and counted, where its session or its epoch is over. */
  #accepts(port: Port<Ports>, message: Envelope<Ports[keyof Ports]>): boolean {
    if (this.#epochs.isForgotten(message.session, message.epoch)) port.counters.discarded++;
    else if (this.#isStale(port, message)) port.counters.stale++;
    else return true;
    return false;
  }

  #makeRoom(port: Port<Ports>, session: string): void {
    for (const node of this.#nodesOf(port, session)) {
      if (!this.#isStale(port, node.delivery.message)) continue;
      this.#remove(port, node);
      port.counters.stale++;
    }
    if (this.#waitingOf(port, session) < port.policy.capacity) return;
    if (port.policy.overflow === 'keep-newest') {
      const [oldest] = this.#nodesOf(port, session);
      this.#remove(port, oldest);
      port.counters.dropped++;
      return;
    }
    port.counters.overflowed++;
    const { capacity, overflow } = port.policy;
    throw new RuntimeError(
      'mailbox.overflow',
      'The session sent more than the actor could handle in time.',
      { session, actor: this.#actor, port: port.name, capacity, overflow },
      'Send no faster than real time; if the machine is too slow, open fewer sessions.',
    );
  }

  #remove(port: Port<Ports>, node: Node<Ports>): void {
    const { session } = node.delivery.message;
    port.waiting.set(session, this.#waitingOf(port, session) - 1);
    port.lane.remove(node);
    this.#size--;
  }

  #waitingOf(port: Port<Ports>, session: string): number {
    return port.waiting.get(session) ?? 0;
  }

  /** Oldest first; looked for only where a bound is reached or a session ends. */
  #nodesOf(port: Port<Ports>, session: string): Node<Ports>[] {
    const nodes: Node<Ports>[] = [];
    if (this.#waitingOf(port, session) === 0) return nodes;
    for (let node = port.lane.head; node; node = node.next) {
      const { delivery } = node;
      if (delivery.port === port.name && delivery.message.session === session) nodes.push(node);
    }
    return nodes;
  }

  #isStale(port: Port<Ports>, message: Envelope<Ports[keyof Ports]>): boolean {
    return port.policy.fenced && this.#epochs.isStale(message.session, message.epoch);
  }

  #port(name: keyof Ports): Port<Ports> {
    if (this.#asked?.name === name) return this.#asked;
    const port = this.#ports.get(name);
    if (port) {
      this.#asked = port;
      return port;
    }
    const known = [...this.#ports.keys()].join(' ');
    throw new RuntimeError(
      'mailbox.no-such-port',
      'The actor has no such port.',
      { actor: this.#actor, port: name, known },
      'Send to one of its ports.',
    );
  }
}
