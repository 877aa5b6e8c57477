/**
 * Calls that a person is asked about: an `mcp_approval_request` item, and what comes back as an
 * `mcp_approval_response`.
 */
import type { Session } from '../../actors/session-api.ts';
import type { Timers } from '../guard/index.ts';

export interface AskedCall {
  readonly callId: string;
  readonly label: string;
  readonly name: string;
  readonly argumentsJson: string;
}

/** Nobody has answered: the call is not made. */
export const APPROVAL_TIMEOUT_MS = 120_000;

/** The item that asks about a call. */
export const approvalId = (callId: string): string => `mcpr_${callId}`;

export class McpApprovals {
  readonly timeoutMs: number;
  readonly #session: Session;
  readonly #clock: Timers;
  /** The call is made now. */
  readonly #onApproved: (callId: string) => void;
  readonly #asked = new Map<string, (approve: boolean, reason: string) => void>();

  constructor(
    session: Session,
    clock: Timers,
    onApproved: (callId: string) => void,
    timeoutMs = APPROVAL_TIMEOUT_MS,
  ) {
    this.#session = session;
    this.#clock = clock;
    this.#onApproved = onApproved;
    this.timeoutMs = timeoutMs;
  }

  /** Resolves when the call may be made; why it may not is an error. */
  async ask({ callId, label, name, argumentsJson }: AskedCall, signal: AbortSignal): Promise<void> {
    // Not in the middle of what led to the call.
    await new Promise<void>(resolve => this.#clock.setTimer(0, resolve));
    if (signal.aborted) throw new Error('The call was given up before it was approved.');
    const id = approvalId(callId);
    const fields = { server_label: label, name, arguments: argumentsJson };
    const content = [{ type: 'foreign', kind: 'mcp_approval_request', fields }] as const;
    const answered = new Promise<void>((resolve, reject) => {
      const settle = (error: Error | null) => {
        this.#asked.delete(id);
        timer.cancel();
        if (error) reject(error);
        else resolve();
      };
      const timer = this.#clock.setTimer(this.timeoutMs, () =>
        settle(new Error('Nobody approved the call; it was not made.')),
      );
      signal.addEventListener(
        'abort',
        () => settle(new Error('The call was given up before it was approved.')),
        {
          once: true,
        },
      );
      this.#asked.set(id, (approve, reason) => {
        const because = reason === '' ? '' : `: ${reason}`;
        settle(approve ? null : new Error(`The call was not approved${because}. It was not made.`));
      });
    });
    answered.catch(() => {}); // It is looked at below, or the item could not be added.
    this.#session.send({ type: 'item.add', item: { id, role: 'tool', content } });
    await answered;
    this.#onApproved(callId);
  }

  /** The client's word; an answer to nothing that is asked means nothing. */
  answer(requestId: unknown, approve: unknown, reason: unknown): void {
    this.#asked.get(String(requestId))?.(
      approve === true,
      typeof reason === 'string' ? reason.slice(0, 300) : '',
    );
  }

  close(): void {
    for (const answer of [...this.#asked.values()]) answer(false, 'the session is over');
  }
}
