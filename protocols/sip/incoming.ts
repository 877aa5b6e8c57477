/** A call that comes (RFC 3261 §13.3): tried, rung, answered by the agent, or refused with a reason. */
import { RuntimeError } from '../../kernels/errors.ts';
import type { DoorContext } from '../door.ts';
import { guardedTimers, RateGuard } from '../guard/index.ts';
import type { DigitSettings } from '../telephone/index.ts';
import { agentEnd } from './agent-end.ts';
import { hasOtherBody, sdpBody } from './bodies.ts';
import { SipCall } from './call.ts';
import type { CallBook } from './call-book.ts';
import type { CallMedia } from './call-media.ts';
import { Dialog } from './dialog.ts';
import { responseTo } from './message.ts';
import type { MediaMaker } from './media-maker.ts';
import { sdpOf } from './offer-answer.ts';
import { agreeToInterval, MIN_SE_S, type SessionInterval } from './session-timer.ts';
import type { Referrals } from './referrals.ts';
import { Seat } from './seat.ts';
import type { Sdp } from './sdp.ts';
import type { ServerTransaction } from './transactions.ts';
import { callerOf, type UserAgent } from './user-agent.ts';

/** A caller who is turned away comes again in so many seconds. */
const RETRY_AFTER_S = '5';

export interface IncomingOptions {
  readonly context: DoorContext;
  readonly agent: UserAgent;
  readonly book: CallBook;
  readonly makeMedia: MediaMaker;
  readonly digits: DigitSettings;
  readonly callsPerSecond: number;
  readonly referrals: Referrals;
}

export class IncomingCalls {
  readonly #options: IncomingOptions;
  readonly #rate: RateGuard;

  constructor(options: IncomingOptions) {
    this.#options = options;
    const { callsPerSecond, context } = options;
    this.#rate = new RateGuard(context.clock, callsPerSecond, Math.max(1, callsPerSecond));
  }

  async invite(transaction: ServerTransaction): Promise<void> {
    const { book, context } = this.#options;
    const { request } = transaction;
    transaction.respond(responseTo(request, 100, null));
    const refusal = this.#refusal(transaction);
    if (refusal) return void this.#refuse(transaction, ...refusal);
    const body = sdpBody(request);
    const offer = body && sdpOf(body);
    book.opening += 1;
    try {
      const media = await this.#options.makeMedia(transaction.flow.remote);
      // Cancelled meanwhile.
      if (!transaction.isOpen) return void media.close();
      this.#answer(transaction, media, offer, agreeToInterval(request.headers) as SessionInterval | null);
    } catch (error) {
      if (!(error instanceof RuntimeError)) throw error;
      context.log.warn({ ...callerOf(request), code: error.code }, 'A call could not be taken.');
      context.metrics.connectionRefused('sip');
      this.#refuse(transaction, 503, [['retry-after', RETRY_AFTER_S]]);
    } finally {
      book.opening -= 1;
    }
  }

  #answer(
    transaction: ServerTransaction,
    media: CallMedia,
    offer: Sdp | null,
    interval: SessionInterval | null,
  ): void {
    const { agent, book, context, digits, referrals } = this.#options;
    const { flow, request, tag } = transaction;
    const answer = offer ? media.answer(offer) : media.offer();
    if (answer === null) {
      media.close();
      return void this.#refuse(transaction, 488);
    }
    const holder: { call: SipCall | null } = { call: null };
    const seat = new Seat(media, () => book.delete(seat.id));
    const hangUp = (reason: string) => holder.call?.hangUp(reason);
    try {
      const fault = (error: unknown) => {
        context.log.error({ err: error }, 'A call failed.');
        hangUp('internal error');
      };
      const clock = guardedTimers(context.clock, fault);
      const { end, id } = agentEnd({
        ...{ context, clock, digits, seat },
        about: {
          callId: request.headers.get('call-id') ?? undefined,
          from: callerOf(request).uri,
          to: request.uri,
        },
      });
      media.attach(end, hangUp, fault);
      const dialog = Dialog.answering(request, tag);
      const contact = agent.contact(flow.protocol, media.localHost);
      transaction.respond(responseTo(request, 180, tag, [['contact', contact]]));
      const call = new SipCall({
        ...{ agent, dialog, flow, media, end },
        isAnswering: true,
        referrals: referrals.deskFor(seat),
        onEnded: (_ended, reason) => {
          seat.ended(end);
          context.log.info({ call: id, reason, ...media.session.stats }, 'A SIP call ended.');
        },
      });
      holder.call = call;
      seat.sitsIn({ hangUp, sip: () => call });
      book.set(id, {
        ...{ direction: 'in', peer: callerOf(request).uri, startedAtMs: context.unixTimeMs() },
        hangUp: reason => seat.hangUp(reason),
        isUp: () => seat.isUp,
        hold: isHeld => seat.hold(isHeld),
        transfer: to => seat.transfer(to),
      });
      context.log.info(
        { call: id, carrier: 'sip', peer: flow.remote.host, ...callerOf(request) },
        'A call began.',
      );
      if (offer) media.apply();
      call.accept(transaction, answer, interval, offer === null);
    } catch (error) {
      if (holder.call) holder.call.hangUp('internal error');
      else media.close();
      throw error;
    }
  }

  /** Why this call is not even looked at. */
  #refusal({ request }: ServerTransaction): [number, [string, string][]] | null {
    const { book, context } = this.#options;
    const { headers } = request;
    if (hasOtherBody(request)) return [415, [['accept', 'application/sdp']]];
    if (agreeToInterval(headers) === 422) return [422, [['min-se', String(MIN_SE_S)]]];
    const body = sdpBody(request);
    if (body && !sdpOf(body)) return [488, []];
    const isFull = book.isFull || !this.#rate.take();
    if (isFull || context.readiness.refusal()) {
      context.metrics.connectionRefused('sip');
      return [503, [['retry-after', RETRY_AFTER_S]]];
    }
    return null;
  }

  #refuse(transaction: ServerTransaction, status: number, fields: [string, string][] = []): void {
    transaction.respond(responseTo(transaction.request, status, transaction.tag, fields));
  }
}
