/**
 * Messages longer than the bus takes, in parts: [part number, number of parts, bytes]. A bus keeps the order of one
 * sender, so the parts of a message follow each other.
 */
import { RuntimeError } from '../../errors.ts';

const HEAD_BYTES = 8;
/** A batch of the largest pictures is far below. */
const MAX_MESSAGE_BYTES = 256 * 1024 * 1024;

export function partsOf(bytes: Uint8Array, maxPartBytes: number): Uint8Array[] {
  if (bytes.length > MAX_MESSAGE_BYTES) throw tooLong(bytes.length);
  const room = maxPartBytes - HEAD_BYTES;
  const count = Math.max(1, Math.ceil(bytes.length / room));
  return Array.from({ length: count }, (_, at) => {
    const piece = bytes.subarray(at * room, (at + 1) * room);
    const part = new Uint8Array(HEAD_BYTES + piece.length);
    const head = new DataView(part.buffer);
    head.setUint32(0, at);
    head.setUint32(4, count);
    part.set(piece, HEAD_BYTES);
    return part;
  });
}

/** Puts the parts of one sender together again. */
export class Joiner {
  #pieces: Uint8Array[] = [];
  #bytes = 0;

  /** The whole message with its last part, else null. @throws RuntimeError `remote.malformed` */
  push(part: Uint8Array): Uint8Array | null {
    if (part.length < HEAD_BYTES) throw malformed('a part without its head');
    const head = new DataView(part.buffer, part.byteOffset, HEAD_BYTES);
    const [at, count] = [head.getUint32(0), head.getUint32(4)];
    if (at === 0) this.#clear();
    if (at !== this.#pieces.length || at >= count) {
      this.#clear();
      throw malformed(`part ${at} of ${count} out of its order`);
    }
    const piece = part.subarray(HEAD_BYTES);
    if (count === 1) return piece;
    this.#pieces.push(piece.slice());
    this.#bytes += piece.length;
    if (this.#bytes > MAX_MESSAGE_BYTES) {
      const bytes = this.#bytes;
      this.#clear();
      throw tooLong(bytes);
    }
    if (at + 1 < count) return null;
    const whole = new Uint8Array(this.#bytes);
    let to = 0;
    for (const each of this.#pieces) {
      whole.set(each, to);
      to += each.length;
    }
    this.#clear();
    return whole;
  }

  #clear(): void {
    this.#pieces = [];
    this.#bytes = 0;
  }
}

function tooLong(bytes: number): RuntimeError {
  const values = { bytes, most: MAX_MESSAGE_BYTES };
  return new RuntimeError('remote.too-long', 'A message between hosts is too long.', values);
}

export function malformed(what: string): RuntimeError {
  return new RuntimeError('remote.malformed', 'A message between hosts cannot be read.', { what });
}
