import type { Connection } from '../connection.ts';

/** Close code of a connection whose peer does not read. */
const CLOSE_SLOW_READER = 1008;

/**
 * A peer that leaves more than `maxUnsentBytes` unread loses its connection, told so by code and reason; nobody else
 * waits for it.
 */
export class SlowReaderGuard {
  readonly #connection: Connection;
  readonly #maxUnsentBytes: number;
  readonly #onSlowReader: (reason: string) => void;
  #closed = false;

  constructor(connection: Connection, maxUnsentBytes: number, onSlowReader: (reason: string) => void) {
    this.#connection = connection;
    this.#maxUnsentBytes = maxUnsentBytes;
    this.#onSlowReader = onSlowReader;
  }

  /** Whether one more frame may be sent. The first time it may not, the connection is closed. */
  mayDeliver(): boolean {
    if (this.#closed) return false;
    const unsentBytes = this.#connection.unsentBytes();
    if (unsentBytes <= this.#maxUnsentBytes) return true;
    const reason = `slow reader: ${unsentBytes} bytes unread, limit ${this.#maxUnsentBytes}`;
    this.#onSlowReader(reason);
    this.close(CLOSE_SLOW_READER, reason);
    return false;
  }

  /** Once; nothing may be sent from now on. */
  close(code: number, reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#connection.close(code, reason.slice(0, 120));
  }
}
