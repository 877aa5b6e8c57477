import { randomUUID } from 'node:crypto';
import type { Connection } from '../server/socket-server.ts';
import type { WireShape } from './beta/index.ts';

export type SendEvent = (type: string, fields: Readonly<Record<string, unknown>>) => void;

/** Close code of a connection whose client does not read. */
const CLOSE_SLOW_READER = 1008;

/**
 * Server events on their way out. A client that leaves more than `maxUnsentBytes` unread loses its connection, told
 * so by code and reason; nobody else waits for it.
 */
export class Outbox {
  readonly #connection: Connection;
  readonly #maxUnsentBytes: number;
  readonly #shape: WireShape;
  readonly #onSlowReader: (reason: string) => void;
  readonly #idPrefix = `event_${randomUUID().slice(0, 8)}`;
  #count = 0;
  #closed = false;

  constructor(
    connection: Connection,
    shape: WireShape,
    maxUnsentBytes: number,
    onSlowReader: (reason: string) => void,
  ) {
    this.#connection = connection;
    this.#shape = shape;
    this.#maxUnsentBytes = maxUnsentBytes;
    this.#onSlowReader = onSlowReader;
  }

  readonly send: SendEvent = (type, fields) => {
    if (this.#closed) return;
    const unsentBytes = this.#connection.unsentBytes();
    if (unsentBytes > this.#maxUnsentBytes) {
      const reason = `slow reader: ${unsentBytes} bytes unread, limit ${this.#maxUnsentBytes}`;
      this.#onSlowReader(reason);
      this.close(CLOSE_SLOW_READER, reason);
      return;
    }
    for (const told of this.#shape.outgoing(type, fields)) {
      const event_id = `${this.#idPrefix}_${++this.#count}`;
      this.#connection.send(JSON.stringify({ type: told.type, event_id, ...told.fields }));
    }
  };

  close(code: number, reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#connection.close(code, reason.slice(0, 120));
  }
}
