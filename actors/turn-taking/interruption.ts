/**
 * Whether sound of the user's during the agent's speech takes the turn. A pure function of the evidence so far; asked whenever
 * there is more of it. `undecided` never lasts beyond `INTERRUPTION.decideMs` of sound.
 *
 *   words ── a command ("stop", "wait", "no") ───────────────► yield
 *         ── nothing but backchannels ("mm-hm", "okay") ─────► resume
 *         ── others ── as loud as a turn ─► yield; low and short, or from afar ─► resume (somebody speaks to somebody else)
 *   none  ── short ── as loud as a turn, at least a word long ► yield   else ─► resume (a cough, a door)
 *         ── it lasts ── from close by ─► yield  from afar ──► resume
 */
export interface InterruptionEvidence {
  /** Since the onset. */
  readonly lastedMs: number;
  /** Of `lastedMs`, what sounded like speech. */
  readonly speechMs: number;
  readonly ended: boolean;
  /** Level against this user's own turns; null before the first of them. */
  readonly relativeDb: number | null;
  /** What the caption head heard; null where the model has none. */
  readonly words: string | null;
  /** `words` holds everything that was said until now. */
  readonly wordsComplete: boolean;
}

export type InterruptionDecision = 'yield' | 'resume' | 'undecided';

export const INTERRUPTION = {
  /** Decided by then whatever is known. */
  decideMs: 460,
  /** A word has at least this much speech in it. */
  wordMs: 260,
  /** Backchannels are said 6 dB lower than turns (latency-data §4.3): louder than this is no backchannel. */
  turnDb: -3,
  /** Lower than this somebody speaks elsewhere. */
  closeDb: -9,
} as const;

const COMMANDS = new Set(['stop', 'wait', 'no', 'cancel', 'quiet', 'enough']);
const BACKCHANNELS = new Set(
  'mm hm hmm mhm mmhm uh huh uhhuh yes yeah yep okay ok right good fine sure oh ah i see great thanks'.split(
    ' ',
  ),
);

export function decideInterruption(evidence: InterruptionEvidence): InterruptionDecision {
  const { ended, lastedMs, relativeDb, speechMs, words, wordsComplete } = evidence;
  const heard =
    words === null
      ? []
      : words
          .toLowerCase()
          .split(/[^\p{L}]+/u)
          .filter(word => word !== '');
  if (heard.some(word => COMMANDS.has(word))) return 'yield';
  const isClose = relativeDb === null || relativeDb >= INTERRUPTION.closeDb;
  const isLoud = relativeDb !== null && relativeDb >= INTERRUPTION.turnDb;
  const isMore = heard.some(word => !BACKCHANNELS.has(word));
  if (isMore && !isClose) return 'resume';
  if (isMore && (isLoud || relativeDb === null)) return 'yield';
  const isKnown = ended && (words === null || wordsComplete);
  if (!isKnown && lastedMs < INTERRUPTION.decideMs) return 'undecided';
  // A low word that was misheard is a backchannel; one that goes on is the beginning of something else.
  if (heard.length > 0) return !ended && (isLoud || isMore) ? 'yield' : 'resume';
  if (!ended) return isClose ? 'yield' : 'resume';
  return (isLoud || relativeDb === null) && speechMs >= INTERRUPTION.wordMs ? 'yield' : 'resume';
}
