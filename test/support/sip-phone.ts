/**
 * A SIP telephone for tests, written from the RFCs and not from our own code: raw text on a network in memory, RTP
 * beside it.
 */
import type { VirtualClock } from '../../actors/core/index.ts';
import type { Session, SessionEvent } from '../../actors/index.ts';
import type { CallEvents } from '../../protocols/call-events.ts';
import type { DatagramNetwork, DatagramSocket, HostPort } from '../../protocols/rtp/index.ts';
import { sipDoor, type SipDoorOptions } from '../../protocols/sip/index.ts';
import { createRandom } from '../../actors/core/index.ts';
import { DEFAULT_DIGITS } from '../../protocols/telephone/index.ts';
import { DatagramNet } from './datagram-net.ts';
import { PhoneRig } from './phone-rig.ts';
import type { RigOptions } from './session-rig.ts';

export const SERVER: HostPort = { host: '10.0.0.1', port: 5060 };
export const PHONE: HostPort = { host: '10.0.0.2', port: 5070 };

export interface Said {
  readonly first: string;
  /** 0: a request. */
  readonly status: number;
  readonly method: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: string;
  readonly atMs: number;
}

function read(bytes: Buffer, atMs: number): Said {
  const [head, body = ''] = bytes.toString().split('\r\n\r\n');
  const [first, ...lines] = head.split('\r\n');
  const headers = new Map<string, string>();
  for (const line of lines) {
    const [, name, value] = /^([^:]+): ?(.*)$/.exec(line) ?? [];
    const known = headers.get(name.toLowerCase());
    headers.set(name.toLowerCase(), known === undefined ? value : `${known}, ${value}`);
  }
  const status = Number(/^SIP\/2\.0 (\d+)/.exec(first)?.[1] ?? 0);
  return { first, status, method: status ? '' : first.split(' ')[0], headers, body, atMs };
}

/** The runtime with its SIP door on a network in memory. */
export class SipRig extends PhoneRig {
  readonly net = new DatagramNet(this.clock);
  #close: () => Promise<void> | void = () => {};

  static async open(
    options: RigOptions = {},
    door: Partial<SipDoorOptions> = {},
    callEvents?: CallEvents,
  ): Promise<SipRig> {
    const rig = new SipRig({
      replies: [[{ text: 'One two three four five.', frames: 40 }]],
      words: true,
      ...options,
    });
    let seed = 0;
    const opened = await sipDoor({
      listeners: [{ protocol: 'UDP', ...SERVER }],
      ...{ peers: [PHONE.host], users: [], publicHost: null, codecs: ['g722', 'pcmu', 'pcma'] },
      ...{ rtpPorts: { first: 20_000, last: 20_199 }, maxCalls: 50, callsPerSecond: 100, register: null },
      ...{
        tlsCert: null,
        tlsKey: null,
        digits: DEFAULT_DIGITS,
        network: rig.net,
        random: createRandom('sip'),
      },
      randomBytes: count => Buffer.alloc(count, ++seed),
      ...door,
    }).open(callEvents ? { ...rig.context, callEvents } : rig.context);
    rig.#close = () => opened.close();
    return rig;
  }

  async close(): Promise<void> {
    await Promise.all([this.#close(), this.clock.runFor(40_000)]);
  }

  phone(at: HostPort = PHONE): Promise<SipPhone> {
    return SipPhone.at(this.net, this.clock, at);
  }

  /** The session of the call that began last, and what happens in it. */
  listen(): { session: Session; events: SessionEvent[] } {
    const session = [...this.runtime.sessions.values()].at(-1);
    if (!session) throw new Error('No call has a session.');
    const events: SessionEvent[] = [];
    session.events$.subscribe(event => events.push(event));
    return { session, events };
  }
}

export class SipPhone {
  readonly said: Said[] = [];
  readonly clock: VirtualClock;
  readonly at: HostPort;
  readonly #socket: () => DatagramSocket;
  /** Requests that nothing was said to yet. */
  readonly unanswered: Said[] = [];
  #to: HostPort;
  callId = 'call-1@phone';
  tag = 'phone-tag';
  branch = 1;
  sequence = 1;
  /** What it says to every request of the server's; null: nothing. */
  answers: ((request: Said) => string | null) | null = null;

  private constructor(clock: VirtualClock, at: HostPort, socket: () => DatagramSocket, to: HostPort) {
    this.#to = to;
    this.clock = clock;
    this.at = at;
    this.#socket = socket;
  }

  static async at(net: DatagramNetwork, clock: VirtualClock, at: HostPort, to = SERVER): Promise<SipPhone> {
    const holder: { socket: DatagramSocket | null } = { socket: null };
    const phone: SipPhone = new SipPhone(clock, at, () => holder.socket!, to);
    holder.socket = await net.bind(at, bytes => phone.#heard(read(bytes, clock.nowMs())));
    return phone;
  }

  #heard(said: Said): void {
    this.said.push(said);
    if (said.method) this.unanswered.push(said);
    const answer = said.method && said.method !== 'ACK' ? this.answers?.(said) : null;
    if (answer) this.raw(answer);
  }

  talksTo(at: HostPort): void {
    this.#to = at;
  }

  raw(text: string): void {
    this.#socket().send(Buffer.from(text.replace(/\r?\n/g, '\r\n')), this.#to);
  }

  /** A request; `over` replaces or adds header lines, and an empty one takes it away. */
  request(method: string, over: Record<string, string> = {}, body = '', uri = 'sip:agent@10.0.0.1'): void {
    const { host, port } = this.at;
    const headers: Record<string, string> = {
      Via: `SIP/2.0/UDP ${host}:${port};branch=z9hG4bK-${method === 'ACK' ? 'ack' : ''}${this.branch};rport`,
      'Max-Forwards': '70',
      From: `"A caller" <sip:caller@${host}>;tag=${this.tag}`,
      To: `<sip:agent@10.0.0.1>`,
      'Call-ID': this.callId,
      CSeq: `${this.sequence} ${method}`,
      Contact: `<sip:caller@${host}:${port}>`,
      ...(body ? { 'Content-Type': 'application/sdp' } : {}),
      ...over,
      'Content-Length': String(body.length),
    };
    const lines = Object.entries(headers).flatMap(([name, value]) =>
      value === '' ? [] : [`${name}: ${value}`],
    );
    this.raw(`${method} ${uri} SIP/2.0\r\n${lines.join('\r\n')}\r\n\r\n${body}`);
  }

  invite(over: Record<string, string> = {}, body = offer()): void {
    this.request('INVITE', over, body);
  }

  /** Within the call: To has the server's tag, and the Request-URI is its Contact. */
  within(method: string, over: Record<string, string> = {}, body = ''): void {
    if (method !== 'ACK') {
      this.sequence += 1;
      this.branch += 1;
    }
    const answer = this.answer();
    const contact = /<([^>]+)>/.exec(answer.headers.get('contact') ?? '')?.[1];
    this.request(method, { To: answer.headers.get('to') ?? '', ...over }, body, contact);
  }

  /** The last 200 to an INVITE. */
  answer(): Said {
    const found = this.said.findLast(
      ({ status, headers }) => status === 200 && /INVITE/.test(headers.get('cseq') ?? ''),
    );
    if (!found) throw new Error(`Not answered: ${this.statuses().join(' ')}`);
    return found;
  }

  statuses(method = 'INVITE'): number[] {
    return this.said.flatMap(({ status, headers }) =>
      status && headers.get('cseq')?.endsWith(method) ? [status] : [],
    );
  }

  /** Requests of the server's. */
  asked(method: string): Said[] {
    return this.said.filter(said => said.method === method);
  }

  /** A plain answer to a request. */
  ok(request: Said, status = '200 OK', more = '', body = ''): string {
    const copied = ['via', 'from', 'to', 'call-id', 'cseq'].map(
      name => `${name}: ${request.headers.get(name)}`,
    );
    const type = body ? 'Content-Type: application/sdp\r\n' : '';
    return `SIP/2.0 ${status}\r\n${copied.join('\r\n')}\r\n${more}${type}Content-Length: ${body.length}\r\n\r\n${body}`;
  }

  /** Until the call is up. */
  async call(over: Record<string, string> = {}, body = offer()): Promise<void> {
    this.invite(over, body);
    await this.clock.runFor(50);
    this.within('ACK');
    await this.clock.runFor(20);
  }

  /** Where the server wants sound. */
  mediaAt(): HostPort {
    const { body } = this.answer();
    return { host: /^c=IN IP4 (\S+)/m.exec(body)![1], port: Number(/^m=audio (\d+)/m.exec(body)![1]) };
  }
}

export function offer({
  codecs = 'PCMU',
  port = 6000,
  host = PHONE.host,
  lines = 'a=sendrecv',
  protocol = 'RTP/AVP',
  keys = true,
} = {}): string {
  const types = { PCMU: '0', G722: '9', PCMA: '8' } as const;
  const list = codecs.split(' ') as (keyof typeof types)[];
  const maps = list.map(name => `a=rtpmap:${types[name]} ${name}/8000`);
  return [
    ...['v=0', `o=phone 1 1 IN IP4 ${host}`, 's=-', `c=IN IP4 ${host}`, 't=0 0'],
    `m=audio ${port} ${protocol} ${list.map(name => types[name]).join(' ')}${keys ? ' 101' : ''}`,
    ...[...maps, ...(keys ? ['a=rtpmap:101 telephone-event/8000'] : []), lines, ''],
  ].join('\r\n');
}

/** As a telephone with Opus offers it: Opus under a number of its own, G.711 behind it. */
export function opusOffer({
  fmtp = '',
  keys = ['101 telephone-event/8000'],
  lines: more = 'a=sendrecv',
} = {}): string {
  const numbers = ['111', '0', ...keys.map(line => line.split(' ')[0])];
  const lines = [
    'a=rtpmap:111 opus/48000/2',
    ...(fmtp ? [`a=fmtp:111 ${fmtp}`] : []),
    'a=rtpmap:0 PCMU/8000',
    ...keys.map(line => `a=rtpmap:${line}`),
  ];
  const bare = offer({ keys: false, lines: more }).replace('a=rtpmap:0 PCMU/8000', lines.join('\r\n'));
  return bare.replace('RTP/AVP 0', `RTP/AVP ${numbers.join(' ')}`);
}
