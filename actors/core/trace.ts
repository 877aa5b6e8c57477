import { RuntimeError } from '../../kernels/errors.ts';

/** One hop of a turn: `cause` is what the time since the previous mark was spent on. */
export interface TraceMark {
  readonly session: string;
  readonly turn: number;
  readonly cause: string;
  readonly atMs: number;
}

/** A turn's account: milliseconds between the user's last speech sample and the first heard sample, one cause each. */
export interface Waterfall {
  readonly turn: number;
  readonly entries: readonly { readonly cause: string; readonly ms: number }[];
  readonly totalMs: number;
}

/**
 * The mark at the user's last speech sample; the account of the turn opens at the last of them before `FIRST_HEARD`.
 */
export const SPEECH_END = 'speech.end';
/** The mark at the first sample that left towards the ear; its time closes the account. */
export const FIRST_HEARD = 'first.heard';

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
