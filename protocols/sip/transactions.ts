/**
 * Transactions (RFC 3261 §17): a request and its answers, said again until they are heard. Timers are of the given
 * clock, so that the same code runs over a simulated network that loses what it likes.
 */
import type { Timer } from '../../actors/core/clock.ts';
import type { Timers } from '../guard/index.ts';
import { parseCSeq, parseVia, tagOf } from './address.ts';
import { Headers } from './headers.ts';
import { messageBytes, request, type SipRequest, type SipResponse } from './message.ts';
import type { Flow } from './transport.ts';

/** RFC 3261 table 4. */
export const T1_MS = 500;
export const T2_MS = 4000;
const T4_MS = 5000;
export const TIMEOUT_MS = 64 * T1_MS;
/** Of an INVITE that somebody rings for: it is not waited for longer. */
const RINGING_MS = 3 * 60_000;
/** Of each kind; beyond, new requests are not heard until some are over. */
const MAX_TRANSACTIONS = 20_000;
const COOKIE = 'z9hG4bK';

export const isFinal = ({ status }: SipResponse): boolean => status >= 200;

/** Said again at growing intervals until `stop`. */
export class Repeater {
  #timer: Timer | null = null;

  constructor(clock: Timers, firstMs: number, mostMs: number, say: () => void) {
    const again = (delayMs: number) => {
      this.#timer = clock.setTimer(delayMs, () => {
        say();
        again(Math.min(2 * delayMs, mostMs));
      });
    };
    again(firstMs);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }
}

export interface ClientHandlers {
  response(response: SipResponse): void;
  /** Nothing final came in time. */
  timeout(): void;
}

/** A request of ours. */
export class ClientTransaction {
  readonly request: SipRequest;
  readonly #flow: Flow;
  readonly #clock: Timers;
  readonly #handlers: ClientHandlers;
  readonly #onOver: () => void;
  readonly #isInvite: boolean;
  #repeater: Repeater | null = null;
  #timeout: Timer;
  #last: SipResponse | null = null;
  #ack: Buffer | null = null;
  #isOver = false;

  constructor(sent: SipRequest, flow: Flow, clock: Timers, handlers: ClientHandlers, onOver: () => void) {
    this.request = sent;
    this.#flow = flow;
    this.#clock = clock;
    this.#handlers = handlers;
    this.#onOver = onOver;
    this.#isInvite = sent.method === 'INVITE';
    const bytes = messageBytes(sent);
    flow.send(bytes);
    if (flow.protocol === 'UDP') {
      const mostMs = this.#isInvite ? Number.POSITIVE_INFINITY : T2_MS;
      this.#repeater = new Repeater(clock, T1_MS, mostMs, () => flow.send(bytes));
    }
    this.#timeout = clock.setTimer(TIMEOUT_MS, () => this.#expired());
  }

  /** Something provisional came: it may be cancelled now, and only now (RFC 3261 §9.1). */
  get isProceeding(): boolean {
    return this.#last !== null && !isFinal(this.#last);
  }

  receive(response: SipResponse): void {
    if (this.#isOver) return;
    if (this.#last && isFinal(this.#last)) {
      this.#again(response);
      return;
    }
    this.#last = response;
    if (!isFinal(response)) this.#provisional();
    else this.#final(response);
    this.#handlers.response(response);
  }

  stop(): void {
    this.#over();
  }

  #provisional(): void {
    if (!this.#isInvite) return;
    this.#repeater?.stop();
    this.#timeout.cancel();
    this.#timeout = this.#clock.setTimer(RINGING_MS, () => this.#expired());
  }

  #final(response: SipResponse): void {
    this.#repeater?.stop();
    this.#timeout.cancel();
    if (this.#isInvite && response.status >= 300) {
      this.#ack = messageBytes(ackOfRefusal(this.request, response));
      this.#flow.send(this.#ack);
    }
    const lingersMs = this.#isInvite ? TIMEOUT_MS : this.#flow.protocol === 'UDP' ? T4_MS : 0;
    this.#timeout = this.#clock.setTimer(lingersMs, () => this.#over());
  }

  /** Said again: the peer has not heard what we answered. */
  #again(response: SipResponse): void {
    if (!this.#isInvite || !isFinal(response)) return;
    if (response.status >= 300) {
      if (this.#ack) this.#flow.send(this.#ack);
    } else this.#handlers.response(response);
  }

  #expired(): void {
    this.#over();
    this.#handlers.timeout();
  }

  #over(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#repeater?.stop();
    this.#timeout.cancel();
    this.#onOver();
  }
}

/** RFC 3261 §17.1.1.3. */
function ackOfRefusal(invite: SipRequest, response: SipResponse): SipRequest {
  const headers = new Headers();
  for (const name of ['via', 'max-forwards', 'from']) headers.add(name, invite.headers.get(name) ?? '');
  for (const route of invite.headers.list('route')) headers.add('route', route);
  headers.add('to', response.headers.get('to') ?? '').add('call-id', invite.headers.get('call-id') ?? '');
  headers.add('cseq', `${parseCSeq(invite.headers.get('cseq'))?.number ?? 1} ACK`);
  return request('ACK', invite.uri, headers);
}

/** A request of a peer's. */
export class ServerTransaction {
  readonly request: SipRequest;
  readonly flow: Flow;
  /** Our tag in To, the same in every answer. */
  readonly tag: string;
  readonly #clock: Timers;
  readonly #onOver: () => void;
  readonly #isInvite: boolean;
  #last: Buffer | null = null;
  #status = 0;
  #repeater: Repeater | null = null;
  #timeout: Timer | null = null;
  #isOver = false;

  constructor(received: SipRequest, flow: Flow, tag: string, clock: Timers, onOver: () => void) {
    this.request = received;
    this.flow = flow;
    this.tag = tag;
    this.#clock = clock;
    this.#onOver = onOver;
    this.#isInvite = received.method === 'INVITE';
  }

  /** Nothing final was said yet. */
  get isOpen(): boolean {
    return this.#status < 200;
  }

  respond(response: SipResponse): void {
    if (!this.isOpen || this.#isOver) return;
    this.#last = messageBytes(response);
    this.#status = response.status;
    const { flow } = this;
    flow.send(this.#last);
    if (response.status < 200) return;
    const last = this.#last;
    // A 2xx is said again by the call, until its own ACK comes (RFC 3261 §13.3.1.4).
    if (this.#isInvite && response.status >= 300 && flow.protocol === 'UDP')
      this.#repeater = new Repeater(this.#clock, T1_MS, T2_MS, () => flow.send(last));
    const isShort = !this.#isInvite && flow.protocol !== 'UDP';
    this.#timeout = this.#clock.setTimer(isShort ? 0 : TIMEOUT_MS, () => this.#over());
  }

  /** The same request once more. */
  again(): void {
    if (this.#last) this.flow.send(this.#last);
  }

  /** The ACK of a refusal. */
  acknowledged(): void {
    this.#repeater?.stop();
    if (this.#status < 300) return;
    this.#timeout?.cancel();
    this.#timeout = this.#clock.setTimer(this.flow.protocol === 'UDP' ? T4_MS : 0, () => this.#over());
  }

  stop(): void {
    this.#over();
  }

  #over(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#repeater?.stop();
    this.#timeout?.cancel();
    this.#onOver();
  }
}

/** All that are under way. */
export class Transactions {
  readonly #clock: Timers;
  readonly #client = new Map<string, ClientTransaction>();
  readonly #server = new Map<string, ServerTransaction>();

  constructor(clock: Timers) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#client.size + this.#server.size;
  }

  /** A request of ours; its top Via has a branch of its own. */
  begin(sent: SipRequest, flow: Flow, handlers: ClientHandlers): ClientTransaction {
    const key = `${parseVia(sent.headers.list('via')[0] ?? '')?.params.get('branch')} ${sent.method}`;
    const transaction: ClientTransaction = new ClientTransaction(sent, flow, this.#clock, handlers, () =>
      this.#client.delete(key),
    );
    this.#client.set(key, transaction);
    return transaction;
  }

  /** False: of no request that we remember. */
  response(response: SipResponse): boolean {
    const branch = parseVia(response.headers.list('via')[0] ?? '')?.params.get('branch');
    const method = parseCSeq(response.headers.get('cseq'))?.method;
    const transaction = this.#client.get(`${branch} ${method}`);
    transaction?.receive(response);
    return transaction !== undefined;
  }

  find(received: SipRequest, method = received.method): ServerTransaction | undefined {
    return this.#server.get(serverKey(received, method));
  }

  /** Null: there are too many. */
  accept(received: SipRequest, flow: Flow, tag: string): ServerTransaction | null {
    if (this.#server.size >= MAX_TRANSACTIONS) return null;
    const key = serverKey(received, received.method);
    const transaction = new ServerTransaction(received, flow, tag, this.#clock, () =>
      this.#server.delete(key),
    );
    this.#server.set(key, transaction);
    return transaction;
  }

  stop(): void {
    for (const transaction of [...this.#client.values(), ...this.#server.values()]) transaction.stop();
  }
}

/** RFC 3261 §17.2.3; without the cookie, what RFC 2543 knew a request by. */
function serverKey({ headers, uri }: SipRequest, method: string): string {
  const top = headers.list('via')[0] ?? '';
  const via = parseVia(top);
  const branch = via?.params.get('branch') ?? '';
  if (branch.startsWith(COOKIE)) return `${branch} ${via?.host}:${via?.port} ${method}`;
  const number = parseCSeq(headers.get('cseq'))?.number;
  return ['old', headers.get('call-id'), number, tagOf(headers.get('from')), uri, top, method].join(' ');
}
