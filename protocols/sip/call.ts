/**
 * A SIP call from its dialog on, whoever began it: its media, what either side asks within it (hold, another codec,
 * keys, transfer, refresh) and its end. How it comes to be is in `incoming.ts` and `outgoing.ts`.
 */
import { integer } from '../../actors/core/index.ts';
import type { HostPort } from '../rtp/index.ts';
import { contactOf, type Dialog } from './dialog.ts';
import { keyOfInfo, sdpBody } from './bodies.ts';
import { isFinal, Repeater, type ServerTransaction, T1_MS, T2_MS, TIMEOUT_MS } from './transactions.ts';
import type { CallEnd } from './call-end.ts';
import type { CallMedia } from './call-media.ts';
import { messageBytes, responseTo, type SipRequest, type SipResponse } from './message.ts';
import { hopWithin } from './next-hop.ts';
import { sdpOf } from './offer-answer.ts';
import { progressOf, type ReferralDesk, referralOf } from './refer.ts';
import {
  agreeToInterval,
  intervalFields,
  MIN_SE_S,
  type SessionInterval,
  SessionTimer,
  sessionExpires,
} from './session-timer.ts';
import { Transfer, type TransferOutcome } from './transfer.ts';
import { ALLOW, type DialogOwner, type UserAgent, withVia } from './user-agent.ts';
import type { Flow } from './transport.ts';

export interface SipCallOptions {
  readonly agent: UserAgent;
  readonly dialog: Dialog;
  readonly flow: Flow;
  readonly media: CallMedia;
  readonly end: CallEnd;
  /** We were called. */
  readonly isAnswering: boolean;
  /** Who goes where the peer sends; absent: nobody. */
  readonly referrals?: ReferralDesk;
  readonly onEnded: (call: SipCall, reason: string) => void;
}

/** After a clash of two re-INVITEs (RFC 3261 §14.1), in 10 ms. */
const RETRY_CALLER = { from: 210, steps: 190 };
const RETRY_ANSWERER = { from: 0, steps: 200 };

export class SipCall implements DialogOwner {
  readonly #options: SipCallOptions;
  readonly #timer: SessionTimer;
  #flow: Flow;
  #interval: SessionInterval | null = null;
  /** Our 2xx, said until its ACK comes. */
  #answer: {
    readonly repeater: Repeater | null;
    readonly giveUp: { cancel(): void };
    readonly number: string;
  } | null = null;
  /** Our offer stands in it: the ACK brings the answer. */
  #awaitsAnswer = false;
  #invite: ServerTransaction | null = null;
  #isInviting = false;
  #transfer: Transfer | null = null;
  /** The peer sends us elsewhere, and it is not known yet what comes of it. */
  #isReferred = false;
  #byeWaits: string | null = null;
  #isOver = false;

  constructor(options: SipCallOptions) {
    this.#options = options;
    this.#flow = options.flow;
    this.#timer = new SessionTimer(
      options.agent.clock,
      () => this.#reinvite(),
      () => this.hangUp('the session was not refreshed'),
    );
    options.agent.own(this);
  }

  get callId(): string {
    return this.#options.dialog.callId;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  get media(): CallMedia {
    return this.#options.media;
  }

  get peer(): HostPort {
    return this.#flow.remote;
  }

  owns(localTag: string | null, remoteTag: string | null): boolean {
    const { dialog } = this.#options;
    return (localTag === null || localTag === dialog.localTag) && remoteTag === dialog.remoteTag;
  }

  /** Answers an INVITE with 200, and says so until it is heard. `offers`: the body is an offer of ours. */
  accept(
    transaction: ServerTransaction,
    body: string,
    interval: SessionInterval | null,
    offers: boolean,
  ): void {
    const { agent, media } = this.#options;
    const { flow, request: invite } = transaction;
    const contact = agent.contact(flow.protocol, media.localHost);
    const fields: [string, string][] = [
      ['contact', contact],
      ['allow', ALLOW],
      ['supported', 'timer'],
      ...intervalFields(interval),
      ['content-type', 'application/sdp'],
    ];
    this.#awaitsAnswer = offers;
    this.#useInterval(interval);
    transaction.respond(responseTo(invite, 200, transaction.tag, fields, Buffer.from(body)));
    if (invite.method !== 'INVITE') return;
    this.#answered();
    const repeater =
      flow.protocol === 'UDP' ? new Repeater(agent.clock, T1_MS, T2_MS, () => transaction.again()) : null;
    const giveUp = agent.clock.setTimer(TIMEOUT_MS, () => {
      this.#answered();
      this.hangUp('the answer was never acknowledged');
    });
    this.#answer = { repeater, giveUp, number: (invite.headers.get('cseq') ?? '').split(/\s/)[0] };
  }

  /** The peer's answer to a call of ours agreed to an interval. */
  agreed(interval: SessionInterval | null): void {
    this.#useInterval(interval);
  }

  acknowledged(ack: SipRequest): void {
    if (this.#answer?.number !== (ack.headers.get('cseq') ?? '').split(/\s/)[0]) return;
    this.#answered();
    if (this.#awaitsAnswer) {
      this.#awaitsAnswer = false;
      const answer = sdpOf(sdpBody(ack) ?? Buffer.alloc(0));
      if (!answer || !this.#options.media.agree(answer)) {
        this.hangUp('the peer knows no sound that we know');
        return;
      }
      this.#changed();
    }
    if (this.#byeWaits !== null) this.#bye(this.#byeWaits);
  }

  cancelled(transaction: ServerTransaction): void {
    // Only a re-INVITE can be: the first one's 200 stands when the call does.
    if (this.#invite === transaction) this.#invite = null;
  }

  receive(transaction: ServerTransaction): void {
    const { request: received } = transaction;
    const { dialog } = this.#options;
    this.#flow = transaction.flow;
    if (received.method === 'BYE') {
      transaction.respond(responseTo(received, 200, transaction.tag));
      this.#end('the peer hung up');
      return;
    }
    if (!dialog.isInOrder(received)) this.#refuse(transaction, 500);
    else if (received.method === 'INVITE' || received.method === 'UPDATE') this.#renegotiate(transaction);
    else if (received.method === 'INFO') this.#info(transaction);
    else if (received.method === 'NOTIFY') this.#notify(transaction);
    else if (received.method === 'OPTIONS') transaction.respond(responseTo(received, 200, transaction.tag));
    else if (received.method === 'REFER') void this.#refer(transaction);
    else this.#refuse(transaction, 405, [['allow', ALLOW]]);
  }

  /** Ends the call from our side. */
  hangUp(reason: string): void {
    if (this.#isOver) return;
    this.#options.media.session.clear();
    // RFC 3261 §15: not before the peer has heard that we answered.
    if (this.#answer) this.#byeWaits = reason;
    else this.#bye(reason);
  }

  /** Sends the caller elsewhere (REFER, RFC 3515); when the peer says that it was done, the call ends. */
  transfer(target: string): Promise<TransferOutcome> {
    this.#transfer ??= new Transfer(this.#options.agent.clock);
    return this.#transfer
      .begin(target, (method, fields) => this.send(method, fields))
      .then(outcome => {
        this.#transfer = null;
        if (outcome.isDone) this.hangUp('the call was transferred');
        return outcome;
      });
  }

  /** Puts the peer on hold, or takes it back; resolves when it has said what it makes of it. */
  async hold(isHeld: boolean): Promise<void> {
    this.#options.media.holds = isHeld;
    await this.#reinvite();
  }

  /** Where the peer is, for somebody else who shall take this call over (RFC 3891, RFC 5589 §7.1). */
  get takeover(): string {
    const { callId, localTag, remoteTag, target } = this.#options.dialog;
    const replaces = `${callId};to-tag=${remoteTag};from-tag=${localTag}`;
    return `${target}${target.includes('?') ? '&' : '?'}Replaces=${encodeURIComponent(replaces)}`;
  }

  /** A request of ours within the call; its final answer, or null where none came. */
  async send(
    method: string,
    fields: readonly (readonly [string, string])[] = [],
    body: Buffer = Buffer.alloc(0),
  ): Promise<SipResponse | null> {
    const { agent, dialog, media } = this.#options;
    const sent = dialog.request(method, body);
    if (method === 'INVITE' || method === 'UPDATE' || method === 'REFER' || method === 'NOTIFY')
      sent.headers.add('contact', agent.contact(this.#flow.protocol, media.localHost));
    for (const [name, value] of fields) sent.headers.add(name, value);
    const flow = await this.#way();
    return new Promise(resolve => {
      const handlers = {
        response: (response: SipResponse) => {
          if (method === 'INVITE' && response.status >= 200 && response.status < 300) this.#ack(sent, flow);
          if (isFinal(response)) resolve(response);
        },
        timeout: () => resolve(null),
      };
      agent.send(sent, flow, handlers).catch(() => resolve(null));
    });
  }

  async #ack(invite: SipRequest, flow: Flow): Promise<void> {
    const { agent, dialog } = this.#options;
    const number = Number((invite.headers.get('cseq') ?? '1').split(/\s/)[0]);
    const ack = dialog.request('ACK', Buffer.alloc(0), number);
    flow.send(messageBytes(withVia(ack, await agent.via(flow))));
  }

  async #way(): Promise<Flow> {
    const { agent, dialog } = this.#options;
    const hop = hopWithin(dialog.routes, dialog.target, this.#flow.remote);
    if ('back' in hop || (this.#flow.protocol !== 'UDP' && dialog.routes.length === 0)) return this.#flow;
    return agent
      .resolve(hop.uri)
      .then(target => agent.flowTo(target))
      .catch(() => this.#flow);
  }

  #renegotiate(transaction: ServerTransaction): void {
    const { request: received } = transaction;
    if (this.#isInviting) return void this.#refuse(transaction, 491);
    if (this.#answer || (this.#invite?.isOpen ?? false))
      return void this.#refuse(transaction, 500, [
        ['retry-after', String(1 + integer(this.#options.agent.random, 9))],
      ]);
    const interval = agreeToInterval(received.headers);
    if (interval === 422) return void this.#refuse(transaction, 422, [['min-se', String(MIN_SE_S)]]);
    const { dialog, media } = this.#options;
    const body = sdpBody(received);
    if (received.method === 'UPDATE' && !body) {
      this.#useInterval(interval);
      const fields: [string, string][] = [['supported', 'timer'], ...intervalFields(interval)];
      transaction.respond(responseTo(received, 200, transaction.tag, fields));
      return;
    }
    const offer = body && sdpOf(body);
    const answer = offer ? media.answer(offer) : body ? null : media.offer();
    if (answer === null) return void this.#refuse(transaction, 488);
    if (contactOf(received.headers)) dialog.refreshTarget(received.headers);
    this.#invite = transaction;
    this.accept(transaction, answer, interval, !offer);
    if (offer) this.#changed();
  }

  /** Media are as agreed now: the end learns what changed. */
  #changed(): void {
    const { end, media } = this.#options;
    const before = media.applied;
    media.apply();
    if (before?.format !== media.format) end.reformatted();
    if (media.isHeld && !before?.isHeld) end.held();
  }

  #info(transaction: ServerTransaction): void {
    const { request: received } = transaction;
    const key = keyOfInfo(received);
    transaction.respond(responseTo(received, key === undefined ? 415 : 200, transaction.tag));
    if (key) this.#options.end.key(key);
  }

  #notify(transaction: ServerTransaction): void {
    const { request: received } = transaction;
    const isOurs = this.#transfer !== null && /^refer\b/i.test(received.headers.get('event') ?? '');
    transaction.respond(responseTo(received, isOurs ? 200 : 489, transaction.tag));
    if (isOurs) this.#transfer?.notified(received.body);
  }

  async #refer(transaction: ServerTransaction): Promise<void> {
    const { agent, media, referrals } = this.#options;
    const { flow, request: received } = transaction;
    const referral = referralOf(received);
    if (!referral) return void this.#refuse(transaction, 400);
    if (this.#isReferred) return void this.#refuse(transaction, 491);
    this.#isReferred = true;
    const hop = (await referrals?.admit(referral, flow.remote.host)) ?? null;
    if (hop && !this.#isOver) {
      const fields: [string, string][] = [['contact', agent.contact(flow.protocol, media.localHost)]];
      transaction.respond(responseTo(received, 202, transaction.tag, fields));
      const tell = progressOf(received, (fields, body) => {
        // A peer that hung up is told nothing.
        if (!this.#isOver) void this.send('NOTIFY', fields, body);
      });
      tell('100 Trying', false);
      await referrals!.follow(referral, hop, tell);
    } else this.#refuse(transaction, 603);
    this.#isReferred = false;
  }

  /** To refresh, or to hold. */
  async #reinvite(): Promise<void> {
    if (this.#isOver || this.#isInviting) return;
    const { agent, media, isAnswering } = this.#options;
    const { holds } = media;
    this.#isInviting = true;
    const fields: [string, string][] = [
      ['supported', 'timer'],
      ...(this.#interval
        ? ([['session-expires', `${this.#interval.seconds};refresher=uac`]] as [string, string][])
        : []),
      ['content-type', 'application/sdp'],
    ];
    const response = await this.send('INVITE', fields, Buffer.from(media.offer()));
    this.#isInviting = false;
    if (this.#isOver) return;
    if (!response || response.status === 408 || response.status === 481) {
      this.hangUp('the session was not refreshed');
    } else if (response.status === 491) {
      const { from, steps } = isAnswering ? RETRY_ANSWERER : RETRY_CALLER;
      agent.clock.setTimer(10 * (from + integer(agent.random, steps)), () => void this.#reinvite());
    } else if (response.status < 300) {
      const answer = sdpOf(response.body);
      if (answer && media.agree(answer)) this.#changed();
      const agreed = sessionExpires(response.headers);
      this.#useInterval(agreed && { seconds: agreed.seconds, isOurs: agreed.refresher !== 'uas' });
    }
    // Taken back, or put on hold, meanwhile.
    if (media.holds !== holds && response?.status !== 491) await this.#reinvite();
  }

  #useInterval(interval: SessionInterval | null): void {
    this.#interval = interval;
    this.#timer.start(interval);
  }

  #answered(): void {
    this.#answer?.repeater?.stop();
    this.#answer?.giveUp.cancel();
    this.#answer = null;
  }

  #refuse(transaction: ServerTransaction, status: number, fields: [string, string][] = []): void {
    transaction.respond(responseTo(transaction.request, status, transaction.tag, fields));
  }

  #bye(reason: string): void {
    if (this.#isOver) return;
    void this.send('BYE');
    this.#end(reason);
  }

  #end(reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#answered();
    this.#timer.stop();
    const { agent, media, end, onEnded } = this.#options;
    // A BYE that was sent is answered to the transaction, which needs no call.
    agent.disown(this);
    media.close();
    this.#transfer?.stop();
    end.hungUp(reason);
    onEnded(this, reason);
  }
}
