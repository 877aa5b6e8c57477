/**
 * Whether sound of the user's during the agent's speech takes the turn. A pure function of the evidence so far; asked
 * whenever there is more of it. `undecided` never lasts beyond `INTERRUPTION.decideMs` of sound, or, while nothing but
 * backchannels was heard, `agreesMs`.
 *
 *   no pitch ───────────────────────────────────────────────────► resume (a cough, a door)
 *   from afar ──────────────────────────────────────────────────► resume (somebody speaks to somebody else)
 *   a command ("stop", "wait", "no"), not low ── surely a voice, and heard twice ► yield   perhaps one ── over, or late ► yield
 *   more words than can be said in it ── over ──────────────────► resume
 *   nothing but backchannels ("mm-hm", "okay") so far ── over ──► resume   goes on and on, loud ► yield
 *   not much like a voice, and no word (an animal, music) ──────► resume
 *   as loud as a turn, or nearly so and a request ("can", "tell")
 *                     ── other words, or it lasts, or it is over ► yield   too little like a voice ► resume
 *   lower ── many words ────────────────────────────────────────► yield   else ► resume, and looked at again if it goes on
 *
 * A word of the lists is believed at any level of a turn. Of other words levels say more: a caption head mishears a
 * word said alone more often than its speaker's level.
 */
import { type HeardCommand, type HeardWords, heardWords } from './heard-words.ts';

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
  /** The highest that `relativeDb` was since there was a word's beginning: after a word somebody else may speak on. */
  readonly loudestDb?: number | null;
  /** What the caption head heard; null where the model has none. */
  readonly words: string | null;
  /** How sure the head is of each of them, 0–1. */
  readonly confidences?: readonly number[];
  /** The surest that it was of any word of this sound, whenever they were asked for; absent where it does not tell. */
  readonly surest?: number;
  /** What it had heard when its words were asked for the time before. */
  readonly wordsBefore?: string | null;
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
  /** A command is believed from then on, if it was heard before too; */
  commandMs: 380,
  /** words that backchannels are misheard as, from then on; */
  doubtfulMs: 460,
  /** those of which the head is so sure, from then on, */
  sureConfidence: 0.97,
  sureCommandMs: 280,
  sureDoubtfulMs: 360,
  /** and none of which it is less sure than this: beginnings of backchannels are heard as commands, but faintly. */
  commandConfidence: 0.6,
  /** Nobody says a word in less, where there are several. */
  wordMsAtLeast: 160,
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
  /**
   * Backchannels are said 6 dB lower than turns (docs/spec/latency-data.md §4.3): louder than this is no backchannel.
   */
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
  /** A voice, or its words, must be believed: its likeness and so much of the surest word's confidence are */
  saidShare: 0.5,
  /** at least this, of many words less. */
  voiceEvidence: 1.05,
  manyWordsEvidence: 0.8,
  /** before the sound is over or must be decided, this. */
  sureVoice: 1.2,
  /** Of words of which the head is less sure than this a turn must be so much louder. */
  faintConfidence: 0.75,
  faintDb: 2,
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
  /**
   * What begins as a request does may be this much lower and still be a turn; what was only backchannels must be
   * louder.
   */
  openerDb: -3,
  agreesDb: 1,
  /** A voice for less than this was no word yet. */
  blipMs: 100,
  /** So many words said low are no backchannel. */
  manyWords: 3,
} as const;

export function decideInterruption(evidence: InterruptionEvidence): InterruptionDecision {
  const { ended, lastedMs } = evidence;
  const heard = heardWords(evidence.words, evidence.wordsBefore ?? null, evidence.confidences);
  const isLate = lastedMs >= INTERRUPTION.decideMs;
  const awaits = ended && awaitsWords(evidence, heard);
  const relativeDb = evidence.relativeDb ?? 0;
  const isWhisper = relativeDb >= INTERRUPTION.whisperDb && evidence.speechMs >= INTERRUPTION.whisperMs;
  if (isNoise(evidence) && !(isWhisper && heard.command)) {
    const isOver = isWhisper ? ended && !awaits : ended;
    return isOver || isLate ? 'resume' : 'undecided';
  }
  if (relativeDb < INTERRUPTION.closeDb)
    return ended || lastedMs >= INTERRUPTION.afarMs ? 'resume' : 'undecided';
  if (isCommand(evidence, heard)) return 'yield';
  const isBlip = evidence.speechMs < INTERRUPTION.blipMs;
  if (awaits || (ended && isBlip && !isLate)) return 'undecided';
  if (isLate || (ended && !isHasty(evidence, heard))) return decideNow(evidence, heard);
  return isTurnEarly(evidence, heard) ? 'yield' : 'undecided';
}

/** It is over, and what was said last is being looked at still. */
function awaitsWords(
  { lastedMs, words, wordsComplete }: InterruptionEvidence,
  { count }: HeardWords,
): boolean {
  if (words === null || wordsComplete) return false;
  return lastedMs < (count === 0 ? INTERRUPTION.decideMs : INTERRUPTION.saidMs);
}

/** A command that is to be believed. */
function isCommand(evidence: InterruptionEvidence, heard: HeardWords): boolean {
  const { ended, lastedMs, speechMs } = evidence;
  const { command } = heard;
  if (!command || speechMs < INTERRUPTION.blipMs) return false;
  const { confidence } = command;
  if (confidence < INTERRUPTION.commandConfidence) return false;
  if ((evidence.loudestDb ?? evidence.relativeDb ?? 0) < INTERRUPTION.turnDb) return false;
  const isHastyNow = isHasty(evidence, heard);
  const likeness = evidence.likeness ?? 1;
  const believedMs = believedFromMs(command);
  const isEarly = lastedMs >= believedMs && command.stands && !isHastyNow;
  const isVoice = likeness + INTERRUPTION.saidShare * confidence >= INTERRUPTION.sureVoice;
  if (isEarly && isVoice) return true;
  if (likeness < INTERRUPTION.leastLikeness || (isHastyNow && command.isDoubtful)) return false;
  return ended ? !awaitsWords(evidence, heard) : lastedMs >= INTERRUPTION.decideMs;
}

function believedFromMs({ confidence, isDoubtful }: HeardCommand): number {
  const { commandMs, doubtfulMs, sureCommandMs, sureDoubtfulMs } = INTERRUPTION;
  if (confidence < INTERRUPTION.sureConfidence) return isDoubtful ? doubtfulMs : commandMs;
  return isDoubtful ? sureDoubtfulMs : sureCommandMs;
}

/** More words than anybody says in so short a time: they were not said. */
function isHasty({ speechMs }: InterruptionEvidence, { count, others }: HeardWords): boolean {
  return count > 1 && others > 0 && speechMs < INTERRUPTION.wordMsAtLeast * count;
}

/** It is over, or must be decided, and is no command. */
function decideNow(evidence: InterruptionEvidence, heard: HeardWords): InterruptionDecision {
  const { ended, lastedMs, speechMs } = evidence;
  if (speechMs < INTERRUPTION.blipMs) return 'resume';
  if (ended && isHasty(evidence, heard)) return 'resume';
  const isOver = ended || (!heard.isPiece && evidence.quietMs >= INTERRUPTION.quietMs);
  if (heard.count > 0 && heard.others === 0) {
    if (isOver) return 'resume';
    if (lastedMs < INTERRUPTION.agreesMs) return 'undecided';
  }
  if (heard.count === 0 && isUnlikeVoice(evidence)) return 'resume';
  const hasMany = heard.others >= INTERRUPTION.manyWords;
  const least = hasMany ? INTERRUPTION.manyWordsLikeness : INTERRUPTION.leastLikeness;
  if ((evidence.likeness ?? 1) < least || !isBelieved(evidence, hasMany)) return 'resume';
  const isLoudNow = heard.others > 0 && (evidence.recentDb ?? 0) >= INTERRUPTION.recentTurnDb;
  return isLoud(evidence, heard) || isLoudNow || hasMany ? 'yield' : 'resume';
}

/** It is like a voice, or the head is sure of a word in it, or somewhat of both: laughs and rings are neither. */
function isBelieved({ lastedMs, likeness, surest }: InterruptionEvidence, hasMany: boolean): boolean {
  if (likeness === null || likeness === undefined || surest === undefined) return true;
  const isWordless = surest === 0 || lastedMs >= INTERRUPTION.goesOnMs;
  if (isWordless && likeness >= INTERRUPTION.sureLikeness) return true;
  const { manyWordsEvidence, saidShare, voiceEvidence } = INTERRUPTION;
  return likeness + saidShare * surest >= (hasMany ? manyWordsEvidence : voiceEvidence);
}

/** Nobody need wait for its end: a loud voice says words that are no backchannel. */
function isTurnEarly(evidence: InterruptionEvidence, heard: HeardWords): boolean {
  if (evidence.lastedMs < INTERRUPTION.wordsMs) return false;
  const isRequest = evidence.lastedMs >= INTERRUPTION.commandMs && heard.opens >= INTERRUPTION.sureConfidence;
  if (heard.others < INTERRUPTION.earlyWords && !isRequest) return false;
  if (isHasty(evidence, heard) || heard.command?.isDoubtful) return false;
  return isLoud(evidence, heard) && (evidence.likeness ?? 1) >= INTERRUPTION.sureLikeness;
}

function isLoud(evidence: InterruptionEvidence, heard: HeardWords): boolean {
  if (!evidence.ended && evidence.lastedMs >= INTERRUPTION.goesOnMs) return true;
  return (evidence.relativeDb ?? 0) >= neededDb(evidence) + wordsDb(heard) + faintDb(evidence);
}

/**
 * Speech goes on; what sounds like it now and then, or is not much like a voice, is an animal, an instrument, a tool.
 */
function isUnlikeVoice({ lastedMs, likeness, quietMs, speechMs, words }: InterruptionEvidence): boolean {
  if (likeness === null || likeness === undefined) return false;
  if (words === null) return likeness < INTERRUPTION.leastLikeness;
  return likeness < INTERRUPTION.voiceLikeness || speechMs < INTERRUPTION.speechShare * (lastedMs - quietMs);
}

/** What the words add to the loudness that a turn needs. */
function wordsDb({ count, opens, others }: HeardWords): number {
  if (opens > 0) return INTERRUPTION.openerDb;
  return count > 0 && others === 0 ? INTERRUPTION.agreesDb : 0;
}

/** A turn said no louder than a backchannel is, and of which no word was surely heard, is one. */
function faintDb({ surest }: InterruptionEvidence): number {
  return (surest ?? 1) < INTERRUPTION.faintConfidence ? INTERRUPTION.faintDb : 0;
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
