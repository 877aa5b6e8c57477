/** Server events on their way out; all but the sound carry an id. */
import { randomUUID } from 'node:crypto';
import { RuntimeError } from '../../kernels/errors.ts';
import type { Connection } from '../connection.ts';
import { SlowReaderGuard } from '../guard/index.ts';
import { wireCode } from '../json/index.ts';
import type { ServerEventType } from './server-events.ts';

export interface LiveError {
  readonly type: 'invalid_request_error' | 'server_error';
  readonly code: string;
  readonly message: string;
  readonly param?: string;
}

type Fields = Readonly<Record<string, unknown>>;

export class Outbox {
  readonly #connection: Connection;
  readonly #guard: SlowReaderGuard;
  readonly #idPrefix = `event_${randomUUID().slice(0, 8)}`;
  #count = 0;

  constructor(connection: Connection, maxUnsentBytes: number, onSlowReader: (reason: string) => void) {
    this.#connection = connection;
    this.#guard = new SlowReaderGuard(connection, maxUnsentBytes, onSlowReader);
  }

  /** `of`: the id of the client's event that caused it. */
  send(type: ServerEventType, fields: Fields = {}, of: string | null = null): void {
    if (!this.#guard.mayDeliver()) return;
    const event_id = `${this.#idPrefix}_${++this.#count}`;
    const caused = of === null ? {} : { client_event_id: of };
    this.#connection.send(JSON.stringify({ type, event_id, ...caused, ...fields }));
  }

  audio(bytes: Buffer): void {
    if (bytes.length === 0 || !this.#guard.mayDeliver()) return;
    // Base64 needs no escaping.
    this.#connection.send(`{"type":"session.output_audio.delta","delta":"${bytes.toString('base64')}"}`);
  }

  error(error: LiveError, of: string | null): void {
    const caused = of === null ? {} : { client_event_id: of };
    this.send('error', { error: { ...error, ...caused } }, of);
  }

  close(code: number, reason: string): void {
    this.#guard.close(code, reason);
  }
}

export function wireError(error: unknown): LiveError {
  if (!(error instanceof RuntimeError)) {
    return { type: 'server_error', code: 'internal_error', message: 'The server failed on this event.' };
  }
  const { code, message, values } = error;
  const param = typeof values.param === 'string' ? { param: values.param } : {};
  return { type: 'invalid_request_error', code: wireCode(code), message, ...param };
}
