/**
 * What a fuzzed client is told of errors: counted for the report, and whether the event that asks "are you there?" was
 * answered.
 */
import type { FuzzReport } from './in-process.ts';

export class ErrorsSeen {
  readonly #report: FuzzReport;
  #probes = 0;
  #awaited = '';
  #isAnswered = false;

  constructor(report: FuzzReport) {
    this.#report = report;
  }

  /** An event that nobody knows: its refusal is the answer. It comes in its turn, behind all that was sent before. */
  nextProbe(): string {
    this.#report.probes++;
    this.#awaited = `probe_${++this.#probes}`;
    this.#isAnswered = false;
    return JSON.stringify({ type: 'no.such', event_id: this.#awaited });
  }

  /** Stays true, whatever follows: the failure of an earlier picture or response may be told in the same moment. */
  get isAnswered(): boolean {
    return this.#isAnswered;
  }

  /** A frame of the server's. */
  receive(text: string): void {
    if (!text.startsWith('{"type":"error"')) return;
    const { error } = JSON.parse(text) as {
      error: { code: string; event_id?: string | null; client_event_id?: string };
    };
    const { errors, faults } = this.#report;
    errors[error.code] = (errors[error.code] ?? 0) + 1;
    if ((error.event_id ?? error.client_event_id) === this.#awaited) this.#isAnswered = true;
    if (error.code === 'internal_error' && faults.length < 20) faults.push(text.slice(0, 300));
  }
}
