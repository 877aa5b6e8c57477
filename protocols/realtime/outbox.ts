import { randomUUID } from 'node:crypto';
import { SlowReaderGuard } from '../guard/index.ts';
import type { Connection } from '../connection.ts';
import type { WireShape } from './beta/index.ts';

export type SendEvent = (type: string, fields: Readonly<Record<string, unknown>>) => void;

/** Server events on their way out. */
export class Outbox {
  readonly #connection: Connection;
  readonly #shape: WireShape;
  readonly #guard: SlowReaderGuard;
  readonly #idPrefix = `event_${randomUUID().slice(0, 8)}`;
  #count = 0;

  constructor(
    connection: Connection,
    shape: WireShape,
    maxUnsentBytes: number,
    onSlowReader: (reason: string) => void,
  ) {
    this.#connection = connection;
    this.#shape = shape;
    this.#guard = new SlowReaderGuard(connection, maxUnsentBytes, onSlowReader);
  }

  readonly send: SendEvent = (type, fields) => {
    if (!this.#guard.mayDeliver()) return;
    for (const told of this.#shape.outgoing(type, fields)) {
      const event_id = `${this.#idPrefix}_${++this.#count}`;
      this.#connection.send(JSON.stringify({ type: told.type, event_id, ...told.fields }));
    }
  };

  close(code: number, reason: string): void {
    this.#guard.close(code, reason);
  }
}
