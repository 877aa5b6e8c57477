/** A blind transfer under way (RFC 3515): the peer was asked to call somebody else, and tells how that goes. */
import type { Timer } from '../../actors/core/clock.ts';
import type { Timers } from '../guard/index.ts';
import type { SipResponse } from './message.ts';

/** Somebody may have to be rung for first. */
const WITHIN_MS = 60_000;

export interface TransferOutcome {
  readonly isDone: boolean;
  /** What the peer said last: of the request, or of the call it made; null: nothing. */
  readonly status: number | null;
}

export class Transfer {
  readonly #clock: Timers;
  #timer: Timer | null = null;
  #status: number | null = null;
  #resolve: ((outcome: TransferOutcome) => void) | null = null;

  constructor(clock: Timers) {
    this.#clock = clock;
  }

  async begin(
    target: string,
    send: (method: string, fields: [string, string][]) => Promise<SipResponse | null>,
  ): Promise<TransferOutcome> {
    const outcome = new Promise<TransferOutcome>(resolve => {
      this.#resolve = resolve;
    });
    this.#timer = this.#clock.setTimer(WITHIN_MS, () => this.#over(false));
    const response = await send('REFER', [['refer-to', `<${target}>`]]);
    if (!response || response.status >= 300) {
      this.#status = response?.status ?? null;
      this.#over(false);
    }
    return outcome;
  }

  /** `body`: the first line of what the peer was answered (message/sipfrag). */
  notified(body: Buffer): void {
    const status = Number(/^SIP\/2\.0 ([1-6]\d\d)/i.exec(body.toString('latin1', 0, 64))?.[1] ?? 0);
    if (status === 0) return;
    this.#status = status;
    if (status >= 200) this.#over(status < 300);
  }

  /** The call is over. A peer that was told where to go may well hang up itself. */
  stop(): void {
    this.#over(this.#status !== null && this.#status < 300);
  }

  #over(isDone: boolean): void {
    this.#timer?.cancel();
    this.#resolve?.({ isDone, status: this.#status });
    this.#resolve = null;
  }
}
