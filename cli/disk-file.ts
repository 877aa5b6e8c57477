/** A file that is written behind the conversation's back, and never at its cost. */
import { closeSync, openSync, write } from 'node:fs';
import type { Logger } from '../actors/core/logger.ts';

/** Waiting for the disk; beyond it nothing is taken. */
const MAX_WAITING_BYTES = 32 << 20;

/**
 * Pieces are gathered while the disk is busy and leave in one write. It ends at a whole piece: at its limit, or where
 * the disk is full.
 */
export class DiskFile {
  readonly #path: string;
  readonly #log: Logger;
  readonly #maxBytes: number;
  readonly #file: number;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #takenBytes = 0;
  #isWriting = false;
  #isClosing = false;
  #hasFailed = false;

  /** Only its owner may read it; an existing file is never overwritten. Throws what the file system says. */
  constructor(path: string, maxBytes: number, log: Logger) {
    this.#path = path;
    this.#log = log;
    this.#maxBytes = maxBytes;
    this.#file = openSync(path, 'wx', 0o600);
  }

  /** @returns false where this piece was not taken */
  write(piece: Uint8Array): boolean {
    const isFull = this.#takenBytes + piece.length > this.#maxBytes;
    if (this.#hasFailed || isFull || this.#waitingBytes + piece.length > MAX_WAITING_BYTES) return false;
    this.#waiting.push(piece);
    this.#waitingBytes += piece.length;
    this.#takenBytes += piece.length;
    this.#next();
    return true;
  }

  close(): void {
    this.#isClosing = true;
    this.#next();
  }

  #next(): void {
    if (this.#isWriting) return;
    if (this.#waiting.length > 0 && !this.#hasFailed) this.#writeOut(Buffer.concat(this.#waiting));
    else if (this.#isClosing) {
      closeSync(this.#file);
      this.#isWriting = true; // For good.
    }
  }

  #writeOut(bytes: Buffer): void {
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#isWriting = true;
    write(this.#file, bytes, 0, bytes.length, null, (error, written) => {
      this.#isWriting = false;
      if (!error && written < bytes.length) {
        this.#waiting.unshift(bytes.subarray(written));
        this.#waitingBytes += bytes.length - written;
      } else if (error) {
        this.#hasFailed = true;
        this.#log.error({ path: this.#path, cause: error.code }, 'a file ends early');
      }
      this.#next();
    });
  }
}
