/**
 * Calls that the agent makes: it hears and speaks from the moment somebody answers; ringing and what is played before
 * is not for it.
 */
import { RuntimeError } from '../../kernels/errors.ts';
import type { DoorContext } from '../door.ts';
import type { SwitchedCall } from '../switchboard.ts';
import { guardedTimers } from '../guard/index.ts';
import type { DigitSettings, OnMachine } from '../telephone/index.ts';
import { parseUri, shownHost } from './address.ts';
import { agentEnd } from './agent-end.ts';
import type { CallBook } from './call-book.ts';
import type { Credentials } from './digest.ts';
import type { MediaMaker } from './media-maker.ts';
import { checkedUri, OutgoingCall } from './outgoing.ts';
import type { Referrals } from './referrals.ts';
import { Seat } from './seat.ts';
import type { SipCall } from './call.ts';
import type { UserAgent } from './user-agent.ts';

export interface PlacedCallsOptions {
  readonly context: DoorContext;
  readonly agent: UserAgent;
  readonly book: CallBook;
  readonly makeMedia: MediaMaker;
  readonly digits: DigitSettings;
  /** Who calls; null: `agent` at this machine's address. */
  readonly from: string | null;
  readonly credentials: Credentials | null;
  readonly referrals: Referrals;
}

export interface PlaceOptions {
  /** Of this call alone; absent: the operator's. */
  readonly instructions?: string;
  /** Whether it is found out who answers, and what is done where a machine does; absent: it is not. */
  readonly onMachine?: OnMachine;
  /** Told of the call that was answered, and of its end. */
  readonly watcher?: PlacedWatcher;
}

export interface PlacedWatcher {
  onAnswered(call: SipCall, phone: SwitchedCall): void;
  onEnded(reason: string): void;
}

export class PlacedCalls {
  readonly #options: PlacedCallsOptions;

  constructor(options: PlacedCallsOptions) {
    this.#options = options;
  }

  /**
   * The call's name, as soon as it is on its way. Errors: `sip.bad_address`, `sip.unknown_host`, `sip.unreachable`,
   * `sip.no_transport`, `sip.full`, `rtp.no_ports`, those of `Runtime.openSession`.
   */
  async place(to: string, options: PlaceOptions = {}): Promise<string> {
    const { agent, book, context } = this.#options;
    const target = checkedUri(to);
    if (book.isFull || context.readiness.refusal()) {
      const remedy = 'Wait until a call ends, or raise `sipMaxCalls`.';
      throw new RuntimeError('sip.full', 'No more calls are taken.', { calls: book.size }, remedy);
    }
    book.opening += 1;
    try {
      const flow = await agent.flowTo(await agent.resolve(parseUri(target)!));
      const media = await this.#options.makeMedia(flow.remote);
      try {
        return this.#dial(target, flow, media, options);
      } catch (error) {
        media.close();
        throw error;
      }
    } finally {
      book.opening -= 1;
    }
  }

  hangUp(id: string, reason: string): void {
    this.#options.book.get(id)?.hangUp(reason);
  }

  #dial(
    target: string,
    flow: Awaited<ReturnType<UserAgent['flowTo']>>,
    media: Awaited<ReturnType<MediaMaker>>,
    { instructions, onMachine, watcher }: PlaceOptions,
  ): string {
    const { agent, book, context, credentials, digits, referrals } = this.#options;
    const from = this.#options.from ?? `sip:agent@${shownHost(media.localHost)}`;
    const holder: { call: OutgoingCall | null } = { call: null };
    const seat = new Seat(media, () => book.delete(seat.id));
    const hangUp = (reason: string) => holder.call?.hangUp(reason);
    const fault = (error: unknown) => {
      context.log.error({ err: error }, 'A call failed.');
      hangUp('internal error');
    };
    const clock = guardedTimers(context.clock, fault);
    const { phone, end, id } = agentEnd({
      ...{ context, clock, digits, seat, instructions, onMachine },
      about: { from, to: target },
    });
    const call: OutgoingCall = new OutgoingCall({
      ...{ agent, target, from, credentials, flow, media, end },
      referrals: referrals.deskFor(seat),
      onAnswered: () => {
        media.attach(end, hangUp, fault);
        watcher?.onAnswered(call.call!, phone);
      },
      onEnded: (_call, reason) => {
        seat.ended(end);
        watcher?.onEnded(reason);
        context.log.info({ call: id, reason, ...media.session.stats }, 'A SIP call ended.');
      },
    });
    holder.call = call;
    seat.sitsIn({ hangUp, sip: () => call.call });
    book.set(id, {
      ...{ direction: 'out', peer: target, startedAtMs: context.unixTimeMs() },
      hangUp: reason => seat.hangUp(reason),
      isUp: () => seat.isUp,
      answeredBy: () => phone.answeredBy,
      hold: isHeld => seat.hold(isHeld),
      transfer: to => seat.transfer(to),
    });
    context.log.info({ call: id, carrier: 'sip', to: target }, 'A call is made.');
    return id;
  }
}
