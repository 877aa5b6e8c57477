/**
 * Texts that wait, first come, first out, as UTF-8 outside of V8's heap. As strings they would be copied by every
 * collection of the young and make each of them long: six clients that flooded the server stopped it for tens of
 * milliseconds at a time.
 */

/** Short texts share blocks of so many bytes; a longer one has a block of its own. */
const BLOCK_BYTES = 64 * 1024;
/** From here on a text has a block to itself. */
export const LONG_TEXT_BYTES = BLOCK_BYTES + 1;
/** Of blocks that are kept for the next who waits: new memory costs more than what is written into it. */
const MAX_SPARE = 512;
/** Of long ones. */
const MAX_SPARE_LONG = { blocks: 4, bytes: 16 * 1024 * 1024 };
const LONG_STEP_BYTES = 1024 * 1024;

export function textOf(utf8: Uint8Array): string {
  return Buffer.from(utf8.buffer, utf8.byteOffset, utf8.length).toString('utf8');
}

/** Blocks for all who wait. */
export class Blocks {
  readonly #spare: Buffer[] = [];
  readonly #spareLong: Buffer[] = [];

  take(leastBytes: number): Buffer {
    if (leastBytes > BLOCK_BYTES) return this.#takeLong(leastBytes);
    return this.#spare.pop() ?? Buffer.allocUnsafeSlow(BLOCK_BYTES);
  }

  giveBack(block: Buffer): void {
    if (block.length > BLOCK_BYTES) this.#keepLong(block);
    else if (this.#spare.length < MAX_SPARE) this.#spare.push(block);
  }

  #takeLong(leastBytes: number): Buffer {
    const at = this.#spareLong.findIndex(({ length }) => length >= leastBytes);
    if (at >= 0) return this.#spareLong.splice(at, 1)[0];
    return Buffer.allocUnsafeSlow(Math.ceil(leastBytes / LONG_STEP_BYTES) * LONG_STEP_BYTES);
  }

  #keepLong(block: Buffer): void {
    const kept = this.#spareLong.reduce((bytes, { length }) => bytes + length, block.length);
    if (this.#spareLong.length < MAX_SPARE_LONG.blocks && kept <= MAX_SPARE_LONG.bytes)
      this.#spareLong.push(block);
  }
}

interface Block {
  readonly bytes: Buffer;
  /** Of one text alone. */
  readonly isLong: boolean;
  /** Where the oldest text begins, */
  from: number;
  /** and where the next would. */
  to: number;
}

export class WaitingTexts {
  readonly #store: Blocks;
  #blocks: Block[] = [];
  /** Bytes of each text; those from `#next` on wait. */
  #lengths: number[] = [];
  #next = 0;
  #bytes = 0;

  constructor(store: Blocks) {
    this.#store = store;
  }

  get count(): number {
    return this.#lengths.length - this.#next;
  }

  /** Of the texts; the blocks hold a little more. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Bytes that are only lent, as `shift` would give them. */
  copyOf(long: Uint8Array): Buffer {
    const bytes = this.#store.take(long.length).subarray(0, long.length);
    bytes.set(long);
    return bytes;
  }

  /** What `shift` or `copyOf` gave is needed no more. */
  returned(long: Buffer): void {
    this.#store.giveBack(Buffer.from(long.buffer));
  }

  /** Bytes are copied. */
  push(text: string | Uint8Array): void {
    const length = typeof text === 'string' ? Buffer.byteLength(text) : text.length;
    let block = this.#blocks.at(-1);
    if (block === undefined || block.isLong || block.bytes.length - block.to < length) {
      block = { bytes: this.#store.take(length), isLong: length >= LONG_TEXT_BYTES, from: 0, to: 0 };
      this.#blocks.push(block);
    }
    if (typeof text === 'string') block.bytes.write(text, block.to);
    else block.bytes.set(text, block.to);
    block.to += length;
    this.#lengths.push(length);
    this.#bytes += length;
  }

  /**
   * The oldest; undefined where none waits. One of `LONG_TEXT_BYTES` as bytes, for whoever wants it so and gives them
   * back (`returned`).
   */
  shift(wantsBytes = false): string | Buffer | undefined {
    if (this.count === 0) return undefined;
    const length = this.#lengths[this.#next++];
    if (this.#blocks.length > 1 && this.#blocks[0].from === this.#blocks[0].to)
      this.#store.giveBack(this.#blocks.shift()!.bytes);
    const block = this.#blocks[0];
    const isLent = wantsBytes && length >= LONG_TEXT_BYTES;
    const text = isLent
      ? block.bytes.subarray(0, length)
      : block.bytes.toString('utf8', block.from, block.from + length);
    block.from += length;
    if (isLent) this.#blocks.shift(); // All of it is this text.
    this.#bytes -= length;
    if (this.count === 0) this.clear();
    else if (this.#next >= 1024) {
      this.#lengths = this.#lengths.slice(this.#next);
      this.#next = 0;
    }
    return text;
  }

  clear(): void {
    for (const { bytes } of this.#blocks) this.#store.giveBack(bytes);
    this.#blocks = [];
    this.#lengths = [];
    this.#next = 0;
    this.#bytes = 0;
  }
}
