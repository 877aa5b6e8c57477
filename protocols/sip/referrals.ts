/**
 * Where a peer sends us we go, if it leads back to that peer or to a named one: the agent calls there, and where it is
 * answered it moves with its conversation; the old call ends. To anybody at all it would be an open relay.
 */
import { RuntimeError } from '../../kernels/errors.ts';
import type { DoorContext } from '../door.ts';
import { RateGuard } from '../guard/index.ts';
import { parseUri, shownHost } from './address.ts';
import type { Credentials } from './digest.ts';
import type { MediaMaker } from './media-maker.ts';
import { OutgoingCall, type OutgoingOptions } from './outgoing.ts';
import type { Referral, ReferralDesk, TellProgress } from './refer.ts';
import type { Seat } from './seat.ts';
import { SeatEnd } from './seat-end.ts';
import type { FlowTarget } from './transport.ts';
import type { UserAgent } from './user-agent.ts';

/** A peer that was told that we are elsewhere hangs up; one that does not is hung up on. */
const LEAVE_AFTER_MS = 3000;

export interface ReferralsOptions {
  readonly context: DoorContext;
  readonly agent: UserAgent;
  readonly makeMedia: MediaMaker;
  /** Whom we may be sent to, beside the peer itself. */
  readonly isPeer: (host: string) => boolean;
  /** Who calls; null: `agent` at this machine's address. */
  readonly from: string | null;
  readonly credentials: Credentials | null;
  readonly callsPerSecond: number;
}

export class Referrals {
  readonly #options: ReferralsOptions;
  readonly #rate: RateGuard;

  constructor(options: ReferralsOptions) {
    this.#options = options;
    const { callsPerSecond, context } = options;
    this.#rate = new RateGuard(context.clock, callsPerSecond, Math.max(1, callsPerSecond));
  }

  /** For who sits there, in whatever call. */
  deskFor(seat: Seat): ReferralDesk {
    return {
      admit: (referral, peerHost) => this.#admit(referral, peerHost),
      follow: (referral, hop, tell) => this.#follow(seat, referral, hop, tell),
    };
  }

  async #admit({ target }: Referral, peerHost: string): Promise<FlowTarget | null> {
    const { agent, isPeer } = this.#options;
    const hop = await agent.resolve(parseUri(target)!).catch(() => null);
    if (!hop || !(hop.host === peerHost || isPeer(hop.host))) return null;
    return this.#rate.take() ? hop : null;
  }

  async #follow(seat: Seat, referral: Referral, hop: FlowTarget, tell: TellProgress): Promise<void> {
    const { agent, context, makeMedia } = this.#options;
    const { log } = context;
    try {
      log.info({ call: seat.id, to: referral.target }, 'The agent is sent to another party.');
      seat.goesTo({ hangUp() {} });
      const flow = await agent.flowTo(hop);
      const media = await makeMedia(flow.remote);
      if (seat.isHungUp) {
        media.close();
        seat.stays('hung up');
      } else await this.#call(seat, referral, { flow, media }, tell);
    } catch (error) {
      if (!(error instanceof RuntimeError)) throw error;
      log.warn({ call: seat.id, code: error.code }, 'A transfer could not be followed.');
      tell('503 Service Unavailable', true);
      seat.stays('the transfer failed');
    }
  }

  #call(
    seat: Seat,
    referral: Referral,
    at: Pick<OutgoingOptions, 'flow' | 'media'>,
    tell: TellProgress,
  ): Promise<void> {
    const { agent, context, credentials } = this.#options;
    const { media } = at;
    const from = this.#options.from ?? `sip:agent@${shownHost(media.localHost)}`;
    const { log, clock } = context;
    return new Promise<void>(resolve => {
      const end = new SeatEnd(seat.end);
      const hangUp = (reason: string) => call.hangUp(reason);
      const fault = (error: unknown) => {
        log.error({ err: error }, 'A call failed.');
        hangUp('internal error');
      };
      let wasAnswered = false;
      const call: OutgoingCall = new OutgoingCall({
        ...{ agent, target: referral.target, from, credentials, end, ...at },
        headers: headersOf(referral),
        referrals: this.deskFor(seat),
        onRinging: () => tell('180 Ringing', false),
        onAnswered: () => {
          wasAnswered = true;
          const before = seat.moves(media, end, { hangUp, sip: () => call.call });
          media.attach(end, hangUp, fault);
          tell('200 OK', true);
          context.callEvents?.tell({ type: 'call.moved', call: seat.id, to: referral.target });
          clock.setTimer(LEAVE_AFTER_MS, () => before?.hangUp('the call was transferred'));
          resolve();
        },
        onEnded: (_call, reason) => {
          log.info({ call: seat.id, reason, ...media.session.stats }, 'A SIP call ended.');
          if (wasAnswered) return seat.ended(end);
          tell(/^[3-6]\d\d /.test(reason) ? reason : '503 Service Unavailable', true);
          seat.stays(reason);
          resolve();
        },
      });
      if (!wasAnswered) seat.goesTo(call);
    });
  }
}

function headersOf({ replaces, referredBy }: Referral): [string, string][] {
  const fields: [string, string][] = referredBy === null ? [] : [['referred-by', referredBy]];
  if (replaces !== null) fields.push(['replaces', replaces], ['require', 'replaces']);
  return fields;
}
