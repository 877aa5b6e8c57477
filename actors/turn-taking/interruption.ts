/**
 * Whether sound of the user's during the agent's speech takes the turn. A pure function of the evidence so far; asked whenever
 * there is more of it. `undecided` never lasts beyond `INTERRUPTION.decideMs` of sound, or, while nothing but backchannels was heard,
 * `agreesMs`.
 *
 *   no pitch ───────────────────────────────────────────────────► resume (a cough, a door)
 *   from afar ──────────────────────────────────────────────────► resume (somebody speaks to somebody else)
 *   a command ("stop", "wait", "no"), not low ── surely a voice ► yield   perhaps one ── over, or late ► yield
 *   nothing but backchannels ("mm-hm", "okay") so far ── over ──► resume   goes on and on, loud ► yield
 *   not much like a voice, and no word (an animal, music) ──────► resume
 *   as loud as a turn, or nearly so and a request ("can", "tell")
 *                     ── other words, or it lasts, or it is over ► yield   too little like a voice ► resume
 *   lower ── many words ────────────────────────────────────────► yield   else ► resume, and looked at again if it goes on
 *
 * A word of the lists is believed at any level of a turn. Of other words levels say more: a caption head mishears a word said alone
 * more often than its speaker's level.
 */
export interface InterruptionEvidence {
  /** Since the onset. */
  readonly lastedMs: number;
  /** Of `lastedMs`, what sounded like speech. */
  readonly speechMs: number;
  /** Of `speechMs`, what had a pitch; null where the detector cannot tell. */
  readonly voicedMs: number | null;
  /** How much like a voice its speech was, 0–1; null or absent where the detector cannot tell. */
  readonly likeness?: number | null;
  /** Silence since its last speech, and whether that is enough for it to be over. */
  readonly quietMs: number;
  readonly ended: boolean;
  /** Level against this user's own turns, of all of it and of its last 60 ms; null before the first of them. */
  readonly relativeDb: number | null;
  readonly recentDb: number | null;
  /** What the caption head heard; null where the model has none. */
  readonly words: string | null;
  /** `words` holds everything that was said until now. */
  readonly wordsComplete: boolean;
}

export type InterruptionDecision = 'yield' | 'resume' | 'undecided';

export const INTERRUPTION = {
  /** Decided by then whatever is known. */
  decideMs: 480,
  /** What is over after so long has given the words that it has, if any. */
  saidMs: 320,
  /** So long a backchannel may take to be over ("uh-huh, right"). */
  agreesMs: 800,
  /** No backchannel lasts this long. */
  goesOnMs: 960,
  /** From afar or not is clear by then. */
  afarMs: 120,
  /** What is heard before is half a word ("um-hum" begins as "set" or "no" does). */
  wordsMs: 280,
  /** So many words that are none of the lists are believed before it is over or must be decided. */
  earlyWords: 2,
  /** A word has at least this much speech in it; shorter sounds of unknown voicing are noise. */
  wordMs: 260,
  /** A voice has at least this much of a pitch; in a longer sound ("stop", whispered) less is enough. */
  voicedMs: 40,
  faintlyVoicedMs: 20,
  faintSpeechMs: 200,
  /** A thump has no more than this in it. */
  thumpMs: 100,
  /** Loud, long enough and a command by its word: said without a pitch. */
  whisperDb: 2,
  whisperMs: 100,
  /** Backchannels are said 6 dB lower than turns (docs/spec/latency-data.md §4.3): louder than this is no backchannel. */
  turnDb: -3,
  /** The first vowel of any word is louder than its word: what has less speech than this in it must be louder, */
  briefMs: 200,
  /** by a dB for so much less. */
  briefMsPerDb: 60,
  /** Of what has no words in it, a voice is at least this much like one. */
  voiceLikeness: 0.45,
  /** What is less like one is none whatever words were heard in it, */
  leastLikeness: 0.4,
  /** unless they are many: then so much is enough. */
  manyWordsLikeness: 0.1,
  /** A word is believed before the sound is over, or must be decided, where the sound is so much like a voice. */
  sureLikeness: 0.85,
  /** Until its last sound, speech without a word has so much speech in it. */
  speechShare: 0.4,
  /** As loud as a turn, for holding the agent: the same of 60 ms. */
  recentTurnDb: -1,
  /** Lower than this somebody speaks elsewhere; while he does, what is lower than that is of him. */
  closeDb: -9,
  overElsewhereDb: -4,
  /** When it must be decided, so much silence is an end. */
  quietMs: 20,
  /** What begins as a request does may be this much lower and still be a turn; what was only backchannels must be louder. */
  openerDb: -3,
  agreesDb: 1,
  /** A voice for less than this was no word yet. */
  blipMs: 100,
  /** So many words said low are no backchannel. */
  manyWords: 3,
} as const;

const COMMANDS = new Set(['stop', 'wait', 'no', 'cancel', 'quiet', 'enough']);
/** Words that begin a request, and that no backchannel is misheard as ("how", "is", "where" are). */
const OPENERS = new Set('can could would will please tell which who when why'.split(' '));
const BACKCHANNELS = new Set(
  'mm hm hmm mhm mmhm um hum uh huh uhhuh yes yeah yep okay ok right good fine sure oh ah i see great thanks'.split(
    ' ',
  ),
);

export function decideInterruption(evidence: InterruptionEvidence): InterruptionDecision {
  const { ended, lastedMs, words, wordsComplete } = evidence;
  const relativeDb = evidence.relativeDb ?? 0;
  const isLate = lastedMs >= INTERRUPTION.decideMs;
  const heard = wordsOf(words);
  const isCommand = heard.some(word => COMMANDS.has(word));
  const isWaitedFor = lastedMs < INTERRUPTION.saidMs || (heard.length === 0 && !isLate);
  const wantsWords = ended && words !== null && !wordsComplete && isWaitedFor;
  const isWhisper = relativeDb >= INTERRUPTION.whisperDb && evidence.speechMs >= INTERRUPTION.whisperMs;
  if (isNoise(evidence) && !(isWhisper && isCommand)) {
    const isOver = isWhisper ? ended && !wantsWords : ended;
    return isOver || isLate ? 'resume' : 'undecided';
  }
  if (relativeDb < INTERRUPTION.closeDb)
    return ended || lastedMs >= INTERRUPTION.afarMs ? 'resume' : 'undecided';
  const isLoud =
    relativeDb >= neededDb(evidence) + wordsDb(heard) || (!ended && lastedMs >= INTERRUPTION.goesOnMs);
  const likeness = evidence.likeness ?? 1;
  const isSure = likeness >= INTERRUPTION.sureLikeness;
  const isBlip = evidence.speechMs < INTERRUPTION.blipMs;
  const isPerhaps = likeness >= INTERRUPTION.leastLikeness;
  const isBelieved = (isSure && lastedMs >= INTERRUPTION.wordsMs) || ((ended || isLate) && isPerhaps);
  if (isCommand && isBelieved && !isBlip && relativeDb >= INTERRUPTION.turnDb) return 'yield';
  if (wantsWords || (ended && isBlip && !isLate)) return 'undecided';
  const others = countOthers(heard);
  if (ended || isLate) {
    if (isBlip) return 'resume';
    const isOver = ended || evidence.quietMs >= INTERRUPTION.quietMs;
    if (heard.length > 0 && others === 0) {
      if (isOver) return 'resume';
      if (lastedMs < INTERRUPTION.agreesMs) return 'undecided';
    }
    if (heard.length === 0 && isUnlikeVoice(evidence)) return 'resume';
    const least =
      others < INTERRUPTION.manyWords ? INTERRUPTION.leastLikeness : INTERRUPTION.manyWordsLikeness;
    if (likeness < least) return 'resume';
    const isLoudNow = others > 0 && (evidence.recentDb ?? 0) >= INTERRUPTION.recentTurnDb;
    return isLoud || isLoudNow || others >= INTERRUPTION.manyWords ? 'yield' : 'resume';
  }
  const isEarly = lastedMs >= INTERRUPTION.wordsMs && others >= INTERRUPTION.earlyWords;
  return isLoud && isSure && isEarly ? 'yield' : 'undecided';
}

/** Speech goes on; what sounds like it now and then, or is not much like a voice, is an animal, an instrument, a tool. */
function isUnlikeVoice({ lastedMs, likeness, quietMs, speechMs, words }: InterruptionEvidence): boolean {
  if (likeness === null || likeness === undefined) return false;
  if (words === null) return likeness < INTERRUPTION.leastLikeness;
  return likeness < INTERRUPTION.voiceLikeness || speechMs < INTERRUPTION.speechShare * (lastedMs - quietMs);
}

/** Words that are no backchannel. */
function countOthers(heard: readonly string[]): number {
  return heard.filter(word => !BACKCHANNELS.has(word)).length;
}

/** What the words add to the loudness that a turn needs. */
function wordsDb(heard: readonly string[]): number {
  if (heard.some(word => OPENERS.has(word))) return INTERRUPTION.openerDb;
  return heard.length > 0 && countOthers(heard) === 0 ? INTERRUPTION.agreesDb : 0;
}

/** How loud a sound must be to be a turn. */
function neededDb({ speechMs }: Pick<InterruptionEvidence, 'speechMs'>): number {
  const { briefMs, briefMsPerDb, turnDb } = INTERRUPTION;
  return turnDb + Math.max(0, briefMs - speechMs) / briefMsPerDb;
}

/** The agent had better be silent until it is decided. */
export function isVoiceOfTurn(evidence: Omit<InterruptionEvidence, 'words' | 'wordsComplete'>): boolean {
  const { recentDb, relativeDb, voicedMs } = evidence;
  const isLoud =
    relativeDb === null ||
    relativeDb >= INTERRUPTION.turnDb ||
    (recentDb !== null && recentDb >= INTERRUPTION.recentTurnDb);
  return isLoud && (voicedMs === null || voicedMs >= INTERRUPTION.faintlyVoicedMs);
}

/** It was taken for a backchannel, which it is not if it goes on, or comes again. */
export function isWorthAnotherLook(evidence: Omit<InterruptionEvidence, 'words' | 'wordsComplete'>): boolean {
  const { relativeDb } = evidence;
  return (relativeDb ?? 0) >= INTERRUPTION.closeDb && !isNoise(evidence);
}

function isNoise({
  ended,
  speechMs,
  voicedMs,
}: Pick<InterruptionEvidence, 'ended' | 'speechMs' | 'voicedMs'>): boolean {
  if (voicedMs === null) return speechMs < INTERRUPTION.wordMs;
  if (voicedMs > INTERRUPTION.voicedMs) return false;
  if (ended && speechMs <= INTERRUPTION.thumpMs) return true;
  if (voicedMs === INTERRUPTION.voicedMs) return false;
  return voicedMs < INTERRUPTION.faintlyVoicedMs || speechMs < INTERRUPTION.faintSpeechMs;
}

function wordsOf(words: string | null): string[] {
  return (words ?? '')
    .toLowerCase()
    .split(/[^\p{L}]+/u)
    .filter(word => word !== '');
}
