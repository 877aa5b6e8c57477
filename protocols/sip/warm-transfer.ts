/**
 * A transfer that is announced (RFC 5589 §7): the caller waits, the other party is called and told by the agent, and
 * when it agrees both are brought together. By SIP the caller's telephone is sent there with `Replaces` (RFC 3891) and
 * leaves us; where it cannot or will not, and for callers whom a carrier brings, both lines are connected here. If
 * anything goes wrong, the caller is back with the agent.
 */
import { RuntimeError } from '../../kernels/errors.ts';
import type { DoorContext } from '../door.ts';
import type { SwitchedCall } from '../switchboard.ts';
import type { BookedCall, CallBook } from './call-book.ts';
import { Consultation, type ConsultationOptions } from './consultation.ts';
import { checkedUri } from './outgoing.ts';
import type { PlacedCalls } from './placed-calls.ts';

export interface WarmOrder extends ConsultationOptions {
  /** Only so; null: REFER, and where that fails a bridge. */
  readonly by: 'refer' | 'bridge' | null;
  /** The agent is told if it comes to nothing, and speaks to the caller. */
  readonly tellsAgent: boolean;
}

export interface WarmOutcome {
  readonly isDone: boolean;
  readonly by: 'refer' | 'bridge' | null;
  /** Why it is not done; null: it is. */
  readonly reason: string | null;
}

/** What is being said to the caller is said to its end, within this. */
const SAYS_MS = 5000;
const LOOK_EVERY_MS = 100;
/** A party that was taken over hangs up on us; one that does not is hung up on. */
const LEAVE_AFTER_MS = 3000;

export class WarmTransfers {
  readonly #context: DoorContext;
  readonly #book: CallBook;
  readonly #placed: PlacedCalls;
  readonly #going = new Set<string>();

  constructor(context: DoorContext, book: CallBook, placed: PlacedCalls) {
    this.#context = context;
    this.#book = book;
    this.#placed = placed;
  }

  /** Null: there is no such call, or it is not up. Errors: `sip.bad_address`, `sip.transferring`. */
  begin(id: string, order: WarmOrder): Promise<WarmOutcome> | null {
    checkedUri(order.to);
    const caller = this.#context.switchboard.get(id);
    const booked = this.#book.get(id) ?? null;
    if (!caller || caller.isConnected || (booked && !booked.isUp())) return null;
    if (this.#going.has(id)) {
      const remedy = 'Wait until it is known what came of it.';
      throw new RuntimeError('sip.transferring', 'The call is being transferred.', { call: id }, remedy);
    }
    this.#going.add(id);
    return this.#run(caller, booked, order).finally(() => this.#going.delete(id));
  }

  async #run(caller: SwitchedCall, booked: BookedCall | null, order: WarmOrder): Promise<WarmOutcome> {
    const { callEvents, log } = this.#context;
    const { to } = order;
    const call = caller.id;
    callEvents?.tell({ type: 'call.transferring', call, to });
    const { by, reason } = await this.#attempt(caller, booked, order);
    log.info({ call, to, by, reason }, 'A transfer that was announced is over.');
    if (by) callEvents?.tell({ type: 'call.transferred', call, to, by });
    else {
      callEvents?.tell({ type: 'call.transfer_failed', call, to, reason: reason! });
      await this.#back(caller, booked, order, reason!);
    }
    return { isDone: by !== null, by, reason };
  }

  async #attempt(
    caller: SwitchedCall,
    booked: BookedCall | null,
    order: WarmOrder,
  ): Promise<Pick<WarmOutcome, 'by' | 'reason'>> {
    const { clock } = this.#context;
    const consultation = new Consultation(order, clock);
    let isGone = false;
    // A telephone on its way there may leave us before it is there.
    let isSent = false;
    caller.whenOver(() => {
      isGone = true;
      if (!caller.isConnected && !isSent) consultation.end('the caller hung up');
    });
    await this.#heard(caller, clock.nowMs() + SAYS_MS, () => isGone);
    caller.wait(true);
    // A telephone that does not answer must not keep the other one waiting.
    void booked?.hold(true);
    const failure = isGone ? 'the caller hung up' : await consultation.agreed(this.#placed);
    if (failure !== null) return { by: null, reason: failure };
    const { call } = consultation;
    let reason = 'the other party hung up';
    if (call && booked && order.by !== 'bridge') {
      isSent = true;
      const outcome = await booked.transfer(call.takeover);
      isSent = false;
      if (outcome?.isDone) {
        clock.setTimer(LEAVE_AFTER_MS, () => consultation.end('the call was transferred'));
        return { by: 'refer', reason: null };
      }
      reason = `the caller's telephone did not go there (${outcome?.status ?? 'no answer'})`;
    } else if (order.by === 'refer') reason = 'the caller comes by no SIP';
    if (order.by !== 'refer' && consultation.call && !isGone) {
      await booked?.hold(false);
      if (consultation.call && !isGone) {
        const other = consultation.phone!;
        caller.connect(other);
        other.connect(caller);
        return { by: 'bridge', reason: null };
      }
    }
    consultation.end(reason);
    return { by: null, reason: isGone ? 'the caller hung up' : reason };
  }

  /** What the agent says to the caller is heard, or it is too long. */
  async #heard(caller: SwitchedCall, untilMs: number, isGone: () => boolean): Promise<void> {
    const { clock } = this.#context;
    while (!caller.isQuiet && !isGone() && clock.nowMs() < untilMs)
      await new Promise<void>(resolve => clock.setTimer(LOOK_EVERY_MS, resolve));
  }

  async #back(
    caller: SwitchedCall,
    booked: BookedCall | null,
    { tellsAgent, to }: WarmOrder,
    reason: string,
  ): Promise<void> {
    await booked?.hold(false);
    caller.wait(false);
    if (!tellsAgent) return;
    const text = `The caller could not be connected with ${to}: ${reason}. Tell the caller so.`;
    try {
      caller.session.send({ type: 'item.add', item: { role: 'system', content: [{ type: 'text', text }] } });
      caller.session.send({ type: 'response.create' });
    } catch (error) {
      // The caller is gone, or is being answered already.
      if (!(error instanceof RuntimeError)) throw error;
    }
  }
}
