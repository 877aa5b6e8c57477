/** Characters of a turn of the event loop, */
const TURN_CHARS = 256 * 1024;
/** and of a piece of it, four to three bytes: longer strings are new memory each. */
const PIECE_CHARS = 16 * 1024;
const PADDING = 0x3d;

/**
 * Null for what is no base64. Buffer.from skips such characters; a shorter result than the text promises gives it away.
 */
export function bytesOfBase64(text: string): Buffer | null {
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const digits = text.length - padding;
  const bytes = Buffer.from(text, 'base64');
  return digits % 4 === 1 || bytes.length !== bytesOfChars(digits) ? null : bytes;
}

const bytesOfChars = (chars: number): number => Math.floor((chars * 3) / 4);

/**
 * The same of a long text that is no string, some of it a turn of the event loop: megabytes at once hold up everybody
 * else.
 */
export async function bytesOfLongBase64(
  ascii: Uint8Array,
  nextTurn: () => Promise<void>,
): Promise<Buffer | null> {
  const text = Buffer.from(ascii.buffer, ascii.byteOffset, ascii.length);
  const padding = text.at(-1) !== PADDING ? 0 : text.at(-2) === PADDING ? 2 : 1;
  const digits = text.length - padding;
  if (digits % 4 === 1) return null;
  const bytes = Buffer.allocUnsafeSlow(bytesOfChars(digits));
  for (let at = 0; at < digits; ) {
    const end = Math.min(at + PIECE_CHARS, digits);
    const from = (at / 4) * 3;
    const written = bytes.write(text.toString('latin1', at, end), from, 'base64');
    if (from + written !== bytesOfChars(end)) return null;
    at = end;
    if (at < digits && at % TURN_CHARS === 0) await nextTurn();
  }
  return bytes;
}
