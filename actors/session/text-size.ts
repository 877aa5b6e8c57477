/**
 * Text that clients send may be longer than the model's context and takes time to turn into tokens, a millisecond for a
 * few thousand characters. Its length is judged before that, and a long one is turned into tokens slice by slice, one a
 * turn of the event loop.
 */
import type { ModelDescription, SpecialTokens, Tokenizer } from '../../kernels/engine/index.ts';
import { RuntimeError } from '../../kernels/errors.ts';
import { type Piece, quotedIds } from '../chunk-interleaver/index.ts';
import type { ItemContent } from '../session-api.ts';
import { samplesIn } from './audio-content.ts';

/** No text that means something has fewer tokens: a longer one is refused by its length. */
const CHARS_PER_TOKEN = 6;
const SLICE_CHARS = 4096;
/** How far before the end of a slice a place between two words is looked for. */
const SEAM_CHARS = 512;
/** Of the context; the rest is for the conversation. */
const INSTRUCTIONS_SHARE = 0.75;

/** Error `item.oversized` where the item cannot fit into the context, whatever else goes. */
export function checkItemSize(content: readonly ItemContent[], model: ModelDescription): void {
  const { audioVectorMs, inputSampleRate, maxPositions, toolTemplate } = model;
  let positions = 0;
  for (const part of content) {
    const text = textOf(part, toolTemplate != null);
    if (text !== null) positions += text.length / CHARS_PER_TOKEN;
    else if (part.type === 'audio') positions += (samplesIn([part]) * 1000) / inputSampleRate / audioVectorMs;
    else if (part.type === 'image') positions += 1;
  }
  if (positions <= maxPositions) return;
  const values = { positions: Math.ceil(positions), maxPositions };
  const remedy = 'Send less text or sound in one item.';
  throw new RuntimeError('item.oversized', "The item alone exceeds the model's context.", values, remedy);
}

/** What of it the model reads as text; of tools only where it was taught them. */
function textOf(part: ItemContent, knowsTools: boolean): string | null {
  if (part.type === 'text') return part.text;
  if (!knowsTools) return null;
  if (part.type === 'call') return part.argumentsJson;
  return part.type === 'call.output' ? part.output : null;
}

/** Error `instructions.oversized` where they would leave less than a quarter of the context to the conversation. */
export function checkInstructions(
  text: string,
  { maxPositions }: ModelDescription,
  tokenizer: Tokenizer,
): void {
  const most = Math.floor(maxPositions * INSTRUCTIONS_SHARE);
  const isShort = Buffer.byteLength(text) <= most; // A token is a byte at least.
  if (isShort) return;
  let tokens = text.length > most * CHARS_PER_TOKEN ? Number.POSITIVE_INFINITY : 0;
  for (let at = 0; at < text.length && tokens <= most; ) {
    const end = seam(text, at);
    tokens += tokenizer.encode(text.slice(at, end)).length;
    at = end;
  }
  if (tokens <= most) return;
  const values = { chars: text.length, maxTokens: most };
  throw new RuntimeError('instructions.oversized', 'The instructions are too long.', values, 'Shorten them.');
}

export interface SlicingDeps {
  readonly tokenizer: Tokenizer;
  readonly tokens: SpecialTokens;
  /** Runs in the next turn of the event loop. */
  readonly later: (run: () => void) => void;
}

/**
 * Calls back with the same pieces, long quotes as ids; at once where none is long. `isWanted` is asked before each
 * slice; when it says no, nobody is called.
 */
export function withoutLongText(
  pieces: readonly Piece[],
  { tokenizer, tokens, later }: SlicingDeps,
  isWanted: () => boolean,
  done: (pieces: readonly Piece[]) => void,
): void {
  const at = pieces.findIndex(piece => piece.kind === 'quote' && piece.text.length > SLICE_CHARS);
  if (at < 0) {
    done(pieces);
    return;
  }
  const { text } = pieces[at] as Extract<Piece, { kind: 'quote' }>;
  const slices: (readonly number[])[] = [];
  const next = (from: number): void => {
    if (!isWanted()) return;
    const end = seam(text, from);
    slices.push(quotedIds(text.slice(from, end), tokenizer, tokens));
    if (end < text.length) {
      later(() => next(end));
      return;
    }
    const whole = pieces.with(at, { kind: 'ids', ids: slices.flat() });
    withoutLongText(whole, { tokenizer, tokens, later }, isWanted, done);
  };
  next(0);
}

/**
 * The end of the slice that begins at `from`: between two words, where tokenizers cut anyway; else anywhere but within
 * a character.
 */
function seam(text: string, from: number): number {
  const end = from + SLICE_CHARS;
  if (end >= text.length) return text.length;
  for (let at = end; at > end - SEAM_CHARS; at--) {
    if (text[at] === ' ' && /[\p{L}\p{N}]/u.test(text[at - 1]) && /[\p{L}\p{N}]/u.test(text[at + 1] ?? ''))
      return at;
  }
  const code = text.charCodeAt(end);
  return code >= 0xdc00 && code <= 0xdfff ? end - 1 : end;
}
