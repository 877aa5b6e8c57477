/**
 * What a frame may look like before JSON.parse sees it. Its length alone says nothing of the work: 20 MB of `[],` keep
 * the parser busy for seconds, 20 MB of base64 for some milliseconds, and a few thousand brackets inside each other
 * overflow the stack of whoever walks them. So a frame may be long only by what its strings hold.
 */
const MAX_DEPTH = 64;
const MAX_STRINGS = 20_000;
/** Numbers, brackets, commas, white space. */
const MAX_CHARS_BETWEEN_STRINGS = 256 * 1024;
/** Escaped ones included: each is a stop of the search for a string's end. */
const MAX_QUOTES = 500_000;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENS = new Set([0x5b, 0x7b]);
const CLOSES = new Set([0x5d, 0x7d]);

/** Why the text is too much to parse; null when it is not. Says nothing about whether it is JSON. */
export function shapeFault(text: string): string | null {
  let depth = 0;
  let strings = 0;
  let between = 0;
  const quotes = { left: MAX_QUOTES };
  for (let at = 0; at < text.length; ) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      if (++strings > MAX_STRINGS) return `it holds more than ${MAX_STRINGS} strings`;
      at = endOfString(text, at + 1, quotes);
      if (quotes.left < 0) return `it holds more than ${MAX_QUOTES} quotation marks`;
      continue;
    }
    if (OPENS.has(code) && ++depth > MAX_DEPTH) return `it is nested more than ${MAX_DEPTH} deep`;
    if (CLOSES.has(code)) depth--;
    if (++between > MAX_CHARS_BETWEEN_STRINGS)
      return `it holds more than ${MAX_CHARS_BETWEEN_STRINGS} characters beside its strings`;
    at++;
  }
  return null;
}

/** The place after the closing quotation mark, or the end of the text. */
function endOfString(text: string, from: number, quotes: { left: number }): number {
  for (let at = text.indexOf('"', from); at >= 0; at = text.indexOf('"', at + 1)) {
    if (--quotes.left < 0) break;
    let escapes = 0;
    while (at - 1 - escapes >= from && text.charCodeAt(at - 1 - escapes) === BACKSLASH) escapes++;
    if (escapes % 2 === 0) return at + 1;
  }
  return text.length;
}
