/** The sessions of this process whose clients may come back, by the tokens that these were given. */
import { createHash, randomBytes } from 'node:crypto';
import type { Connection, ConnectionListener } from '../../connection.ts';
import type { Timers } from '../../guard/index.ts';
import type { Metrics } from '../../server/metrics.ts';
import { JournalRoom } from './journal.ts';
import { ResumableLine, type ResumableListener } from './resumable-line.ts';

/** How long a lost client is waited for. */
const WINDOW_MS = 30_000;

/** What the session's end knows of it. */
export interface Resumption {
  /** Told in `session.created`. */
  readonly token: string;
  readonly windowSeconds: number;
  /** Frames of the client's so far. */
  readonly received: () => number;
  /** The client has the first `count` events. */
  readonly acknowledge: (count: number) => void;
}

export interface ResumableSessionsOptions {
  readonly clock: Timers;
  readonly metrics: Metrics;
  readonly maxUnsentBytes: number;
  readonly room?: JournalRoom;
}

export class ResumableSessions {
  readonly #options: ResumableSessionsOptions;
  readonly #room: JournalRoom;
  /** By digest, so that neither memory nor the time of a comparison tells a token. */
  readonly #lines = new Map<string, ResumableLine>();

  constructor(options: ResumableSessionsOptions) {
    this.#options = options;
    this.#room = options.room ?? new JournalRoom();
  }

  get size(): number {
    return this.#lines.size;
  }

  open(
    socket: Connection,
    open: (line: Connection, resumption: Resumption) => ResumableListener,
  ): ConnectionListener {
    const { clock, maxUnsentBytes, metrics } = this.#options;
    const token = randomBytes(24).toString('hex');
    const key = digest(token);
    const line = new ResumableLine({
      clock,
      windowMs: WINDOW_MS,
      room: this.#room,
      maxUnsentBytes,
      onSocketClosed: code => metrics.connectionClosed(code),
      onEnd: () => this.#lines.delete(key),
    });
    this.#lines.set(key, line);
    const resumption = {
      token,
      windowSeconds: WINDOW_MS / 1000,
      received: () => line.received,
      acknowledge: (count: number) => line.acknowledge(count),
    };
    return line.begin(socket, connection => open(connection, resumption));
  }

  /** Null: there is no such session, or what its client missed is not known any more. */
  find(token: string, received: number): ((socket: Connection) => ConnectionListener) | null {
    const line = this.#lines.get(digest(token));
    return line?.canGoOnAfter(received) ? socket => line.resume(socket, received) : null;
  }

  /** All of them end. */
  close(): void {
    for (const line of [...this.#lines.values()]) line.end();
  }
}

function digest(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
