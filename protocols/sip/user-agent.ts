/**
 * The user agent: messages to transactions, requests to the calls they belong to, and what belongs to none to whoever
 * takes new calls.
 *
 *   transport ─► request ─► known transaction? said again
 *                          ─► of a call? ─► the call
 *                          ─► admitted? ─► INVITE: a new call · OPTIONS: what we can · else: refused
 *             ─► response ─► the transaction of ours
 */
import { createHash } from 'node:crypto';
import type { Logger } from '../../actors/core/logger.ts';
import type { Random } from '../../actors/core/index.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import type { Timers } from '../guard/index.ts';
import type { HostPort } from '../rtp/index.ts';
import { parseCSeq, parseNameAddress, parseVia, shownHost, tagOf, type Via } from './address.ts';
import { Headers } from './headers.ts';
import {
  isRequest,
  responseTo,
  type SipMessage,
  type SipRequest,
  type SipResponse,
  messageBytes,
} from './message.ts';
import type { Resolve } from './next-hop.ts';
import {
  type ClientHandlers,
  type ClientTransaction,
  type ServerTransaction,
  Transactions,
} from './transactions.ts';
import type { Flow, FlowTarget, SipProtocol, SipTransport, TransportHandler } from './transport.ts';

export const ALLOW = 'INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, UPDATE, REFER, NOTIFY';
const KNOWN = new Set([...ALLOW.split(', '), 'REGISTER', 'SUBSCRIBE', 'MESSAGE', 'PUBLISH', 'PRACK']);
/** Dialogs with one Call-ID: forks of one call. */
const MAX_SAME_CALL_ID = 8;

/** One end of a dialog. */
export interface DialogOwner {
  readonly callId: string;
  /** In either order: docs/spec/sip.md §2 has a peer that swaps them in its BYE. */
  owns(localTag: string | null, remoteTag: string | null): boolean;
  receive(transaction: ServerTransaction): void;
  acknowledged(ack: SipRequest): void;
  /** Its INVITE, which `transaction` is, was cancelled before it was answered. */
  cancelled(transaction: ServerTransaction): void;
}

export type SipAdmission =
  | { readonly ok: true }
  | { readonly ok: false; readonly answer: SipResponse | null };

export interface UserAgentOptions {
  readonly clock: Timers;
  readonly random: Random;
  readonly log: Logger;
  /** The address under which the peer reaches this machine. */
  readonly hostFor: (remote: HostPort) => Promise<string>;
  readonly resolve: Resolve;
  /** May this request, which belongs to no call, be answered? */
  readonly admit: (request: SipRequest, flow: Flow) => SipAdmission;
  /** Takes a new call; it must answer the transaction. */
  readonly onInvite: (transaction: ServerTransaction) => void;
}

export class UserAgent implements TransportHandler {
  readonly clock: Timers;
  readonly random: Random;
  readonly log: Logger;
  readonly transactions: Transactions;
  readonly #options: UserAgentOptions;
  readonly #transports = new Map<SipProtocol, SipTransport>();
  readonly #dialogs = new Map<string, Set<DialogOwner>>();
  /** Requests that could not be read, and those that were refused without a transaction. */
  readonly counts = { unreadable: 0, refused: 0, strayResponses: 0 };

  constructor(options: UserAgentOptions) {
    this.#options = options;
    this.clock = options.clock;
    this.random = options.random;
    this.log = options.log;
    this.transactions = new Transactions(options.clock);
  }

  get dialogs(): number {
    let count = 0;
    for (const owners of this.#dialogs.values()) count += owners.size;
    return count;
  }

  addTransport(transport: SipTransport): void {
    this.#transports.set(transport.protocol, transport);
  }

  /** Random text of an identifier. */
  newId(chars = 16): string {
    let text = '';
    while (text.length < chars) text += Math.floor(this.random.next() * 2 ** 32).toString(36);
    return text.slice(0, chars);
  }

  own(owner: DialogOwner): void {
    const owners = this.#dialogs.get(owner.callId) ?? new Set();
    if (owners.size < MAX_SAME_CALL_ID) owners.add(owner);
    this.#dialogs.set(owner.callId, owners);
  }

  disown(owner: DialogOwner): void {
    const owners = this.#dialogs.get(owner.callId);
    owners?.delete(owner);
    if (owners?.size === 0) this.#dialogs.delete(owner.callId);
  }

  hostFor(remote: HostPort): Promise<string> {
    return this.#options.hostFor(remote);
  }

  /** Our Contact for who speaks this protocol. */
  contact(protocol: SipProtocol, host: string, user = 'agent'): string {
    const port = this.#transports.get(protocol)?.local.port ?? 5060;
    const transport = protocol === 'UDP' ? '' : `;transport=${protocol.toLowerCase()}`;
    return `<sip:${user}@${shownHost(host)}:${port}${transport}>`;
  }

  resolve: Resolve = uri => this.#options.resolve(uri);

  /** Errors: `sip.no_transport`, `sip.unreachable`. */
  flowTo(target: FlowTarget): Promise<Flow> {
    const transport = this.#transports.get(target.protocol);
    if (transport) return transport.flowTo(target);
    const remedy = `Listen on it too: --sip ${target.protocol.toLowerCase()}:HOST:PORT.`;
    const error = new RuntimeError('sip.no_transport', 'That is not spoken here.', { ...target }, remedy);
    return Promise.reject(error);
  }

  /** Sends a request of ours, with a Via of its own. */
  async send(sent: SipRequest, flow: Flow, handlers: ClientHandlers): Promise<ClientTransaction> {
    const via = await this.via(flow);
    return this.transactions.begin(withVia(sent, via), flow, handlers);
  }

  async via(flow: Flow): Promise<string> {
    const host = shownHost(await this.hostFor(flow.remote));
    const port = this.#transports.get(flow.protocol)?.local.port ?? 5060;
    return `SIP/2.0/${flow.protocol} ${host}:${port};branch=z9hG4bK${this.newId()};rport`;
  }

  message(message: SipMessage, flow: Flow): void {
    if (isRequest(message)) this.#request(message, flow);
    else if (!this.transactions.response(message)) this.counts.strayResponses += 1;
  }

  unreadable(flow: Flow, error: unknown): void {
    this.counts.unreadable += 1;
    // Something that is no SIP gets no answer at all.
    if (!(error instanceof RuntimeError))
      this.log.error({ err: error, peer: flow.remote.host }, 'A SIP message failed.');
  }

  async close(): Promise<void> {
    this.transactions.stop();
    for (const transport of this.#transports.values()) await transport.close();
  }

  #request(received: SipRequest, arrived: Flow): void {
    const { headers, method } = received;
    const via = parseVia(headers.list('via')[0] ?? '');
    const cseq = parseCSeq(headers.get('cseq'));
    const isWhole = via && cseq && headers.get('call-id') && tagOf(headers.get('from')) && headers.get('to');
    if (!isWhole) {
      this.counts.unreadable += 1;
      return;
    }
    const flow = answeringFlow(arrived, via);
    const request = { ...received, headers: withSource(headers, via, arrived.remote) };
    if (method === 'ACK') return void this.#acknowledged(request);
    const known = this.transactions.find(request);
    if (known) return void known.again();
    if (cseq.method !== method) return void this.refuse(request, flow, 400);
    if (method === 'CANCEL') return void this.#cancel(request, flow);
    if (tagOf(headers.get('to'))) this.#within(request, flow);
    else this.#outside(request, flow);
  }

  /** An answer without a transaction (RFC 3261 §8.2.7): the same each time it is asked. */
  refuse(
    request: SipRequest,
    flow: Flow,
    status: number,
    more: readonly (readonly [string, string])[] = [],
  ): void {
    this.counts.refused += 1;
    flow.send(messageBytes(responseTo(request, status, statelessTag(request), more)));
  }

  #acknowledged(ack: SipRequest): void {
    this.transactions.find(ack, 'INVITE')?.acknowledged();
    this.#owner(ack)?.acknowledged(ack);
  }

  #cancel(cancel: SipRequest, flow: Flow): void {
    const invite = this.transactions.find(cancel, 'INVITE');
    if (!invite) return void this.refuse(cancel, flow, 481);
    const transaction = this.transactions.accept(cancel, flow, invite.tag);
    transaction?.respond(responseTo(cancel, 200, invite.tag));
    // Too late: it was answered, and the caller will hang up.
    if (!invite.isOpen) return;
    for (const owner of this.#dialogs.get(invite.request.headers.get('call-id') ?? '') ?? [])
      owner.cancelled(invite);
    invite.respond(responseTo(invite.request, 487, invite.tag));
  }

  #owner({ headers, method }: SipRequest): DialogOwner | undefined {
    const owners = [...(this.#dialogs.get(headers.get('call-id') ?? '') ?? [])];
    const [to, from] = [tagOf(headers.get('to')), tagOf(headers.get('from'))];
    const isSwapped = (owner: DialogOwner) => method === 'BYE' && owner.owns(from, to);
    return owners.find(owner => owner.owns(to, from)) ?? owners.find(isSwapped);
  }

  #within(request: SipRequest, flow: Flow): void {
    const owner = this.#owner(request);
    if (!owner) return void this.refuse(request, flow, 481);
    const tag = tagOf(request.headers.get('to')) ?? this.newId();
    const transaction = this.transactions.accept(request, flow, tag);
    if (transaction) owner.receive(transaction);
  }

  #outside(request: SipRequest, flow: Flow): void {
    const admission = this.#options.admit(request, flow);
    if (!admission.ok) {
      this.counts.refused += 1;
      if (admission.answer) flow.send(messageBytes(admission.answer));
      return;
    }
    const { headers, method } = request;
    const required = headers.words('require').filter(word => word !== 'timer' && word !== 'replaces');
    if (required.includes('100rel') || required.length > 0)
      return void this.refuse(request, flow, 420, [['unsupported', required.join(', ')]]);
    if (method === 'OPTIONS') return void this.refuse(request, flow, 200, CAPABILITIES);
    if (method !== 'INVITE')
      return void this.refuse(request, flow, KNOWN.has(method) ? 405 : 501, [['allow', ALLOW]]);
    // The same call by another way (RFC 3261 §8.2.2.2).
    if (this.#isMerged(request)) return void this.refuse(request, flow, 482);
    const transaction = this.transactions.accept(request, flow, this.newId());
    if (transaction) this.#options.onInvite(transaction);
  }

  #isMerged({ headers }: SipRequest): boolean {
    const from = tagOf(headers.get('from'));
    return [...(this.#dialogs.get(headers.get('call-id') ?? '') ?? [])].some(owner => owner.owns(null, from));
  }
}

const CAPABILITIES: readonly (readonly [string, string])[] = [
  ['allow', ALLOW],
  ['accept', 'application/sdp, application/dtmf-relay'],
  ['supported', 'timer'],
];

export function withVia(sent: SipRequest, via: string): SipRequest {
  return { ...sent, headers: new Headers([['via', via], ...sent.headers.entries()]) };
}

/** RFC 3581: the peer learns where it was seen. */
function withSource(headers: Headers, via: Via, { host, port }: HostPort): Headers {
  let text = headers
    .list('via')[0]
    .replace(/;\s*rport(=\d*)?(?=;|\s*$)/i, '')
    .replace(/;\s*received=[^;,\s]*/i, '');
  if (via.params.has('rport')) text += `;rport=${port}`;
  if (via.params.has('rport') || via.host !== host) text += `;received=${host}`;
  const rest = headers.list('via').slice(1);
  const others = headers.entries().filter(([name]) => name !== 'via');
  return new Headers([['via', text], ...rest.map(one => ['via', one] as const), ...others]);
}

/**
 * Without rport an answer goes to the port that the Via names (RFC 3261 §18.2.2); on a stream, back where it came from.
 */
function answeringFlow(flow: Flow, via: Via): Flow {
  if (flow.protocol !== 'UDP' || via.params.has('rport')) return flow;
  const port = via.port ?? 5060;
  return port === flow.remote.port ? flow : (flow.at?.(port) ?? flow);
}

function statelessTag({ headers }: SipRequest): string {
  const known = ['call-id', 'from', 'cseq'].map(name => headers.get(name)).join('\n');
  return createHash('sha256').update(known).digest('hex').slice(0, 16);
}

/** Who calls, as a log and an agent may see it. */
export function callerOf({ headers }: SipRequest): { readonly name: string; readonly uri: string } {
  const from = parseNameAddress(headers.get('from') ?? '');
  return { name: from?.display ?? '', uri: from?.uri ?? '' };
}
