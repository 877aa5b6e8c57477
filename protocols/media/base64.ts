/** Characters of a piece, of four to three bytes. */
const PIECE_CHARS = 256 * 1024;
const PADDING = 0x3d;

/** Null for what is no base64. Buffer.from skips such characters; a shorter result than the text promises gives it away. */
export function bytesOfBase64(text: string): Buffer | null {
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const digits = text.length - padding;
  const bytes = Buffer.from(text, 'base64');
  return digits % 4 === 1 || bytes.length !== Math.floor((digits * 3) / 4) ? null : bytes;
}

/** The same of a long text that is no string, a piece a turn of the event loop: megabytes at once hold up everybody else. */
export async function bytesOfLongBase64(
  ascii: Uint8Array,
  nextTurn: () => Promise<void>,
): Promise<Buffer | null> {
  const text = Buffer.from(ascii.buffer, ascii.byteOffset, ascii.length);
  const padding = text.at(-1) !== PADDING ? 0 : text.at(-2) === PADDING ? 2 : 1;
  const digits = text.length - padding;
  if (digits % 4 === 1) return null;
  const bytes = Buffer.allocUnsafeSlow(Math.floor((digits * 3) / 4));
  for (let at = 0; at < digits; ) {
    const end = Math.min(at + PIECE_CHARS, digits);
    const from = (at / 4) * 3;
    const written = bytes.write(text.toString('latin1', at, end), from, 'base64');
    if (from + written !== Math.floor((end * 3) / 4)) return null;
    at = end;
    if (at < digits) await nextTurn();
  }
  return bytes;
}
