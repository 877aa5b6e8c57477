import { RuntimeError } from '../../kernels/errors.ts';

/** One hop of a turn: `cause` is what the time since the previous mark was spent on. */
export interface TraceMark {
  readonly session: string;
  readonly turn: number;
  readonly cause: string;
  readonly atMs: number;
}

/** Collects the marks of which a turn's closed account (waterfall) is made. */
export interface Tracer {
  mark(session: string, turn: number, cause: string, atMs: number): void;
  /** The session has ended: its marks are not needed any more. */
  forget(session: string): void;
}

/** A turn's account: milliseconds between the user's last speech sample and the first heard sample, one cause each. */
export interface Waterfall {
  readonly turn: number;
  readonly entries: readonly { readonly cause: string; readonly ms: number }[];
  readonly totalMs: number;
}

/** The mark at the user's last speech sample; the account of the turn opens at the last of them before `FIRST_HEARD`. */
export const SPEECH_END = 'speech.end';
/** The mark at the first sample that left towards the ear; its time closes the account. */
export const FIRST_HEARD = 'first.heard';

/** Keeps the newest marks of each session. */
export class TraceCollector implements Tracer {
  readonly #maxMarksPerSession: number;
  readonly #marks = new Map<string, TraceMark[]>();
  #dropped = 0;

  constructor(maxMarksPerSession = 4096) {
    this.#maxMarksPerSession = maxMarksPerSession;
  }

  /** Marks that were dropped, oldest first, because their session had too many. */
  get dropped(): number {
    return this.#dropped;
  }

  mark(session: string, turn: number, cause: string, atMs: number): void {
    const marks = this.#marks.get(session) ?? [];
    if (marks.length === 0) this.#marks.set(session, marks);
    marks.push({ session, turn, cause, atMs });
    // Half at a time, so that a mark costs constant time on average.
    if (marks.length > this.#maxMarksPerSession) {
      this.#dropped += marks.splice(0, Math.ceil(marks.length / 2)).length;
    }
  }

  /** The turn's marks in the order they were made. */
  marks(session: string, turn: number): TraceMark[] {
    return (this.#marks.get(session) ?? []).filter(mark => mark.turn === turn);
  }

  waterfall(session: string, turn: number): Waterfall | null {
    return waterfall(this.marks(session, turn));
  }

  forget(session: string): void {
    this.#marks.delete(session);
  }
}

/**
 * The closed account of one turn's marks: each millisecond between the user's last speech sample and the first heard
 * sample belongs to the mark that ends it. Marks outside are left out (a speculation that was rolled back ended before
 * the user spoke on), repeated causes are added up. Null when nothing was heard, or there was no speech before.
 */
export function waterfall(marks: readonly TraceMark[]): Waterfall | null {
  const ordered = [...marks].sort((a, b) => a.atMs - b.atMs);
  const closing = ordered.findIndex(mark => mark.cause === FIRST_HEARD);
  if (closing < 0) return null;
  const opening = ordered.slice(0, closing).findLastIndex(mark => mark.cause === SPEECH_END);
  if (opening < 0) return null;

  const msByCause = new Map<string, number>();
  for (let at = opening + 1; at <= closing; at++) {
    const { cause, atMs } = ordered[at];
    msByCause.set(cause, (msByCause.get(cause) ?? 0) + atMs - ordered[at - 1].atMs);
  }
  const entries = [...msByCause].map(([cause, ms]) => ({ cause, ms }));
  const totalMs = ordered[closing].atMs - ordered[opening].atMs;
  const accountedMs = entries.reduce((sum, entry) => sum + entry.ms, 0);
  if (!(Math.abs(accountedMs - totalMs) <= 1e-6)) {
    const { turn, session } = ordered[closing];
    const values = { session, turn, accountedMs, totalMs };
    const remedy = 'Look for a mark whose time is not a number.';
    throw new RuntimeError('trace.not-closed', 'The account of a turn does not add up.', values, remedy);
  }
  return { turn: ordered[closing].turn, entries, totalMs };
}
