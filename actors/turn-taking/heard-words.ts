/**
 * What the words of a sound over the agent's speech say of it. They are a caption head's, of a sound that is still
 * going on: half a word is heard as another ("uh-huh" begins as "stop" or "no" does, "um-hum" as "set"), so a command
 * counts when it stands.
 */
export interface HeardWords {
  readonly count: number;
  /** Words that are neither backchannels nor lone pieces of a sentence. */
  readonly others: number;
  /** A lone piece of a sentence was: what goes on may be one. */
  readonly isPiece: boolean;
  /** How sure the head is of a word that begins a request, 0–1; 0 where there is none. */
  readonly opens: number;
  readonly command: HeardCommand | null;
}

export interface HeardCommand {
  /** Words that beginnings of backchannels are taken for. */
  readonly isDoubtful: boolean;
  /** It was heard the last time that words were asked for, too. */
  readonly stands: boolean;
  /** Of the caption head, 0–1. */
  readonly confidence: number;
}

/** Of a head that does not tell: it is believed, but not at once. */
export const CONFIDENCE_NOT_TOLD = 0.9;
const COMMANDS = new Set(['stop', 'wait', 'no', 'cancel', 'quiet', 'enough']);
const DOUBTFUL = new Set(['no', 'cancel', 'enough']);
/** Words that begin a request, and that no backchannel is misheard as ("how", "is", "where" are). */
const OPENERS = new Set('can could would will please tell which who when why'.split(' '));
const BACKCHANNELS = new Set(
  'mm hm hmm mhm mmhm um hum uh huh uhhuh yes yeah yep okay ok right good fine sure oh ah i see great thanks'.split(
    ' ',
  ),
);
/** One of these alone, or beside one backchannel, says nothing. */
const PIECES = new Set('a add it on off turn do light some you'.split(' '));

/**
 * @param before what was heard when words were asked for the time before
 * @param confidences of the words, 0–1; where there is not one for each the head is believed
 */
export function heardWords(
  words: string | null,
  before: string | null,
  confidences: readonly number[] = [],
): HeardWords {
  const heard = wordsOf(words);
  const sure = confidences.length === heard.length ? confidences : [];
  const surestOf = (kind: ReadonlySet<string>) =>
    Math.max(0, ...heard.map((word, i) => (kind.has(word) ? (sure[i] ?? CONFIDENCE_NOT_TOLD) : 0)));
  const others = heard.filter(word => !isBackchannel(word));
  const isPiece = others.length === 1 && heard.length <= 2 && PIECES.has(others[0]);
  return {
    count: heard.length,
    others: isPiece ? 0 : others.length,
    isPiece,
    opens: surestOf(OPENERS),
    command: commandOf(heard, wordsOf(before), surestOf(COMMANDS)),
  };
}

function commandOf(
  heard: readonly string[],
  before: readonly string[],
  confidence: number,
): HeardCommand | null {
  const commands = heard.filter(word => COMMANDS.has(word));
  if (commands.length === 0) return null;
  return {
    isDoubtful: commands.every(word => DOUBTFUL.has(word)),
    stands: commands.some(word => before.includes(word)),
    confidence,
  };
}

const isBackchannel = (word: string) => word.split('-').every(part => BACKCHANNELS.has(part));

/** "uh-huh" is one. */
function wordsOf(words: string | null): string[] {
  return (words ?? '').toLowerCase().match(/\p{L}+(?:-\p{L}+)*/gu) ?? [];
}
