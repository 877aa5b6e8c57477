/** A call that we make (RFC 3261 §13.2): rings, is answered, refused, redone with a password, or given up. */
import { RuntimeError } from '../../kernels/errors.ts';
import { parseNameAddress, parseUri, tagOf } from './address.ts';
import { sdpBody } from './bodies.ts';
import { SipCall } from './call.ts';
import type { CallEnd } from './call-end.ts';
import type { CallMedia } from './call-media.ts';
import { Dialog } from './dialog.ts';
import { authorization, chooseChallenge, type Credentials } from './digest.ts';
import { Headers } from './headers.ts';
import { messageBytes, request, type SipRequest, type SipResponse } from './message.ts';
import { sdpOf } from './offer-answer.ts';
import type { ReferralDesk } from './refer.ts';
import { OUR_SE_S, sessionExpires } from './session-timer.ts';
import type { ClientTransaction } from './transactions.ts';
import type { Flow } from './transport.ts';
import { ALLOW, type UserAgent, withVia } from './user-agent.ts';

export interface OutgoingOptions {
  readonly agent: UserAgent;
  /** `sip:…` */
  readonly target: string;
  /** Who calls: `sip:…`. */
  readonly from: string;
  readonly credentials: Credentials | null;
  readonly flow: Flow;
  readonly media: CallMedia;
  readonly end: CallEnd;
  /** Of the INVITE, beside the usual ones. */
  readonly headers?: readonly (readonly [string, string])[];
  readonly referrals?: ReferralDesk;
  readonly onRinging?: () => void;
  /** Before any sound of the call is heard. */
  readonly onAnswered?: () => void;
  readonly onEnded: (call: SipCall | null, reason: string) => void;
}

export class OutgoingCall {
  readonly #options: OutgoingOptions;
  readonly #callId: string;
  readonly #fromTag: string;
  #sequence = 0;
  #transaction: ClientTransaction | null = null;
  #invite: SipRequest | null = null;
  #triedPassword = false;
  #call: SipCall | null = null;
  #cancelled: string | null = null;
  #isOver = false;

  constructor(options: OutgoingOptions) {
    this.#options = options;
    this.#callId = options.agent.newId(24);
    this.#fromTag = options.agent.newId();
    this.#begin(null);
  }

  #begin(credentials: readonly [string, string] | null): void {
    this.#dial(credentials).catch((error: unknown) =>
      this.#over(error instanceof RuntimeError ? error.code : 'internal error'),
    );
  }

  /** Null until it was answered. */
  get call(): SipCall | null {
    return this.#call;
  }

  hangUp(reason: string): void {
    if (this.#call) this.#call.hangUp(reason);
    else {
      this.#cancelled ??= reason;
      if (this.#transaction?.isProceeding) this.#cancel();
    }
  }

  async #dial(credentials: readonly [string, string] | null): Promise<void> {
    const { agent, flow, from, headers: more = [], media, target } = this.#options;
    const headers = new Headers([
      ['max-forwards', '70'],
      ['from', `<${from}>;tag=${this.#fromTag}`],
      ['to', `<${target}>`],
      ['call-id', this.#callId],
      ['cseq', `${++this.#sequence} INVITE`],
      ['contact', agent.contact(flow.protocol, media.localHost, parseUri(from)?.user || undefined)],
      ['allow', ALLOW],
      ['supported', 'timer'],
      ['session-expires', String(OUR_SE_S)],
      ['content-type', 'application/sdp'],
      ...more,
      ...(credentials ? [credentials] : []),
    ]);
    const invite = request('INVITE', target, headers, Buffer.from(media.offer()));
    const handlers = {
      response: (response: SipResponse) => this.#response(response),
      timeout: () => this.#over('nobody answers'),
    };
    this.#invite = invite;
    this.#transaction = await agent.send(invite, flow, handlers);
  }

  #response(response: SipResponse): void {
    const { status } = response;
    if (status < 200) return void this.#provisional(response);
    if (status < 300) return void this.#answered(response);
    if (this.#isOver) return;
    if ((status === 401 || status === 407) && this.#retries(response)) return;
    this.#over(this.#cancelled ?? `${status} ${response.reason}`);
  }

  #provisional(response: SipResponse): void {
    if (this.#cancelled !== null) return void this.#cancel();
    if (response.status > 100) this.#options.onRinging?.();
    // What is heard before the answer: the network's own voice, or music.
    const early = sdpOf(sdpBody(response) ?? Buffer.alloc(0));
    if (early && this.#options.media.agree(early)) this.#options.media.apply();
  }

  #answered(response: SipResponse): void {
    if (this.#call?.owns(this.#fromTag, tagOf(response.headers.get('to')))) return void this.#ack(response);
    const { agent, end, flow, media, referrals } = this.#options;
    const dialog = Dialog.calling(this.#invite!, response);
    const isSecond = this.#call !== null || this.#isOver || this.#cancelled !== null;
    void this.#ack(response);
    if (isSecond) {
      // A fork that answered too, or one that was faster than our CANCEL.
      void this.#goodbye(dialog);
      if (!this.#call) this.#over(this.#cancelled ?? 'cancelled');
      return;
    }
    const call = new SipCall({
      ...{ agent, dialog, end, flow, media, referrals },
      isAnswering: false,
      onEnded: (ended, reason) => this.#options.onEnded(ended, reason),
    });
    this.#call = call;
    this.#options.onAnswered?.();
    const answer = sdpOf(sdpBody(response) ?? Buffer.alloc(0));
    const isAgreed = answer !== null && media.agree(answer);
    if (!isAgreed && !media.applied) return void call.hangUp('the peer knows no sound that we know');
    media.apply();
    end.reformatted();
    const interval = sessionExpires(response.headers);
    call.agreed(interval && { seconds: interval.seconds, isOurs: interval.refresher !== 'uas' });
  }

  async #ack(response: SipResponse): Promise<void> {
    const { agent, flow } = this.#options;
    const dialog = Dialog.calling(this.#invite!, response);
    const ack = dialog.request('ACK', Buffer.alloc(0), this.#sequence);
    flow.send(messageBytes(withVia(ack, await agent.via(flow))));
  }

  async #goodbye(dialog: Dialog): Promise<void> {
    const nothing = { response() {}, timeout() {} };
    await this.#options.agent.send(dialog.request('BYE'), this.#options.flow, nothing);
  }

  #retries(response: SipResponse): boolean {
    const { agent, credentials, target } = this.#options;
    const isProxy = response.status === 407;
    const field = isProxy ? 'proxy-authenticate' : 'www-authenticate';
    const challenge = chooseChallenge(response.headers.fields(field));
    if (!credentials || !challenge || this.#triedPassword || this.#cancelled !== null) return false;
    this.#triedPassword = true;
    const answer = authorization(challenge, credentials, { method: 'INVITE', uri: target }, agent.newId());
    this.#begin([isProxy ? 'proxy-authorization' : 'authorization', answer]);
    return true;
  }

  #cancel(): void {
    const { agent, flow } = this.#options;
    const invite = this.#transaction?.request;
    if (!invite) return;
    const headers = new Headers();
    for (const name of ['via', 'max-forwards', 'from', 'to', 'call-id'])
      headers.add(name, invite.headers.fields(name)[0] ?? '');
    headers.add('cseq', `${this.#sequence} CANCEL`);
    // By the same Via: it is known by its branch.
    agent.transactions.begin(request('CANCEL', invite.uri, headers), flow, { response() {}, timeout() {} });
  }

  #over(reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#options.media.close();
    this.#options.end.hungUp(reason);
    this.#options.onEnded(null, reason);
  }
}

/** Errors: `sip.bad_address`. */
export function checkedUri(text: string): string {
  const uri = parseUri(parseNameAddress(text)?.uri ?? '');
  if (uri) return text.replace(/^<|>$/g, '');
  const remedy = 'Give for example sip:agent@192.0.2.7:5060.';
  throw new RuntimeError('sip.bad_address', 'That is no SIP address.', { address: text }, remedy);
}
