/** What both ends of a call remember of each other (RFC 3261 §12). */
import { parseCSeq, parseNameAddress, tagOf } from './address.ts';
import { Headers } from './headers.ts';
import { request, type SipRequest, type SipResponse } from './message.ts';

export class Dialog {
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string;
  /** As they stand in From and To of our requests. */
  readonly local: string;
  readonly remote: string;
  readonly routes: readonly string[];
  /** Where requests go: the peer's Contact. */
  target: string;
  #localSequence: number;
  #remoteSequence: number;

  private constructor(fields: {
    callId: string;
    local: string;
    remote: string;
    routes: readonly string[];
    target: string;
    localSequence: number;
    remoteSequence: number;
  }) {
    this.callId = fields.callId;
    this.local = fields.local;
    this.remote = fields.remote;
    this.localTag = tagOf(fields.local) ?? '';
    this.remoteTag = tagOf(fields.remote) ?? '';
    this.routes = fields.routes;
    this.target = fields.target;
    this.#localSequence = fields.localSequence;
    this.#remoteSequence = fields.remoteSequence;
  }

  /** Of a call that comes, answered with `tag`. */
  static answering({ headers, uri }: SipRequest, tag: string): Dialog {
    const to = headers.get('to') ?? '';
    const remote = headers.get('from') ?? '';
    return new Dialog({
      callId: headers.get('call-id') ?? '',
      local: tagOf(to) ? to : `${to};tag=${tag}`,
      remote,
      routes: headers.list('record-route'),
      target: contactOf(headers) ?? parseNameAddress(remote)?.uri ?? uri,
      localSequence: 0,
      remoteSequence: parseCSeq(headers.get('cseq'))?.number ?? 0,
    });
  }

  /** Of a call that we made, by what came back. */
  static calling(sent: SipRequest, { headers }: SipResponse): Dialog {
    return new Dialog({
      callId: sent.headers.get('call-id') ?? '',
      local: sent.headers.get('from') ?? '',
      remote: headers.get('to') ?? '',
      routes: headers.list('record-route').reverse(),
      target: contactOf(headers) ?? sent.uri,
      localSequence: parseCSeq(sent.headers.get('cseq'))?.number ?? 1,
      remoteSequence: -1,
    });
  }

  /** A request within the dialog, without its Via. `number`: of an INVITE that is acknowledged. */
  request(method: string, body: Buffer = Buffer.alloc(0), number?: number): SipRequest {
    if (number === undefined) this.#localSequence += 1;
    const headers = new Headers([['max-forwards', '70']]);
    for (const route of this.routes) headers.add('route', route);
    headers.add('from', this.local).add('to', this.remote).add('call-id', this.callId);
    headers.add('cseq', `${number ?? this.#localSequence} ${method}`);
    return request(method, this.target, headers, body);
  }

  /** False: older than one that came already (RFC 3261 §12.2.2). */
  isInOrder(received: SipRequest): boolean {
    const number = parseCSeq(received.headers.get('cseq'))?.number ?? -1;
    if (number <= this.#remoteSequence) return false;
    this.#remoteSequence = number;
    return true;
  }

  /** A re-INVITE may move the peer. */
  refreshTarget(headers: Headers): void {
    this.target = contactOf(headers) ?? this.target;
  }
}

export function contactOf(headers: Headers): string | null {
  const first = headers.list('contact')[0];
  const uri = first === undefined ? undefined : parseNameAddress(first)?.uri;
  return uri !== undefined && /^sips?:/i.test(uri) ? uri : null;
}
