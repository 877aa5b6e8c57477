import { RESERVED_ENTRIES } from '../tokenizer/index.ts';
import { CORPUS } from './corpus.ts';

const FIRST_RESERVED_ID = 134;
const NAMED = ['<longcat_unk>', '<longcat_s>', '</longcat_s>', '<longcat_pad>'];

export interface TextVocabulary {
  /** The content of `tokenizer.json`. */
  readonly tokenizer: object;
  readonly pause: number;
  /** Ids whose text is readable by itself. */
  readonly printable: ReadonlySet<number>;
  /** Ids whose text ends in punctuation. */
  readonly punctuation: ReadonlySet<number>;
}

/**
 * A byte-level BPE vocabulary of `size` entries (at least 270): ids 0…3 named, 134…143 the strings of
 * docs/spec/model.md docs/spec/model.md §1.10, the 256 bytes on the other ids from 4, then merges learned from a small
 * text; what the text does not fill is reserved.
 */
export function buildVocabulary(size: number): TextVocabulary {
  const special = new Map(NAMED.map((text, id) => [text, id]));
  for (const [i, [text]] of RESERVED_ENTRIES.entries()) special.set(text, FIRST_RESERVED_ID + i);
  const taken = new Set(special.values());

  const entries = new Map<string, number>();
  let id = 0;
  const append = (text: string) => {
    while (taken.has(id)) id++;
    entries.set(text, id++);
  };
  for (const symbol of BYTE_SYMBOLS) append(symbol);
  const merges = learnMerges(CORPUS, size - id);
  for (const [left, right] of merges) append(left + right);
  while (id < size) special.set(`<reserved_${id}>`, id++);

  const idsWhere = (pattern: RegExp) =>
    new Set([...entries].filter(([text]) => pattern.test(text)).map(([, id]) => id));
  return {
    tokenizer: tokenizerJson(entries, merges, special),
    pause: special.get('</pause>') as number,
    printable: idsWhere(/^Ġ?[A-Za-z0-9.,!?'-]*$/),
    punctuation: idsWhere(/[.,!?]$/),
  };
}

/** GPT-2's printable stand-ins for bytes: readable bytes are themselves, the others follow from U+0100. */
const BYTE_SYMBOLS: readonly string[] = (() => {
  let stranger = 256;
  return Array.from({ length: 256 }, (_, byte) => {
    const isReadable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
    return String.fromCharCode(isReadable ? byte : stranger++);
  });
})();

/** Byte-pair encoding: the most frequent neighbours become one, `count` times at most; the first of equals wins. */
function learnMerges(text: string, count: number): [string, string][] {
  const words = new Map<string, { symbols: string[]; times: number }>();
  for (const word of text.match(/ ?[A-Za-z0-9]+|[.,!?]/g) ?? []) {
    const known = words.get(word);
    if (known) known.times++;
    else words.set(word, { symbols: [...word.replace(' ', 'Ġ')], times: 1 });
  }
  const merges: [string, string][] = [];
  while (merges.length < count) {
    const best = mostFrequentPair([...words.values()]);
    if (!best) break;
    merges.push(best);
    for (const word of words.values()) word.symbols = mergePair(word.symbols, best);
  }
  return merges;
}

function mostFrequentPair(words: readonly { symbols: string[]; times: number }[]): [string, string] | null {
  const counts = new Map<string, number>();
  let best: string | null = null;
  for (const { symbols, times } of words) {
    for (let i = 0; i + 1 < symbols.length; i++) {
      const pair = `${symbols[i]} ${symbols[i + 1]}`;
      counts.set(pair, (counts.get(pair) ?? 0) + times);
    }
  }
  for (const [pair, count] of counts) if (best === null || count > (counts.get(best) as number)) best = pair;
  return best === null ? null : (best.split(' ') as [string, string]);
}

function mergePair(symbols: readonly string[], [left, right]: readonly [string, string]): string[] {
  const merged: string[] = [];
  for (const symbol of symbols) {
    if (symbol === right && merged.at(-1) === left) merged[merged.length - 1] = left + right;
    else merged.push(symbol);
  }
  return merged;
}

function tokenizerJson(
  entries: ReadonlyMap<string, number>,
  merges: readonly [string, string][],
  special: ReadonlyMap<string, number>,
): object {
  const added = [...special].sort((a, b) => a[1] - b[1]);
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: added.map(([content, id]) => ({ id, content, ...flags })),
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
    post_processor: null,
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: null,
      end_of_word_suffix: null,
      fuse_unk: false,
      byte_fallback: false,
      vocab: Object.fromEntries([...added, ...entries].sort((a, b) => a[1] - b[1])),
      merges,
    },
  };
}
