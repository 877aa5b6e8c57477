/**
 * A client's line that may be lost and found again: one connection to the session behind it, one socket after another
 * to the client before it. What was sent and may not have come is sent again to the socket that comes back, in its
 * order; what the client sent is counted, so that it knows what to send again.
 */
import type { Timer } from '../../../actors/core/clock.ts';
import type { Connection, ConnectionListener } from '../../connection.ts';
import type { Timers } from '../../guard/index.ts';
import { Journal, type JournalRoom } from './journal.ts';

/** A socket that ended without a word, as one does whose network is gone. */
const CLOSE_ABNORMAL = 1006;
const CLOSE_NORMAL = 1000;
const CLOSE_GOING_AWAY = 1001;
const CLOSE_SLOW_READER = 1008;

/** The session's end of it. */
export interface ResumableListener extends ConnectionListener {
  /** From now on nobody hears, until `onLineBack`. */
  onLineLost?(): void;
  onLineBack?(): void;
}

export interface ResumableLineOptions {
  readonly clock: Timers;
  /** How long a lost client is waited for. */
  readonly windowMs: number;
  readonly room: JournalRoom;
  /** Bytes a socket may leave unread before it counts as lost; as many characters the journal holds. */
  readonly maxUnsentBytes: number;
  /** A socket is gone and the session is not. */
  readonly onSocketClosed: (code: number) => void;
  /** For good. */
  readonly onEnd: () => void;
}

export class ResumableLine implements Connection {
  readonly #options: ResumableLineOptions;
  readonly #journal: Journal;
  #listener: ResumableListener | null = null;
  #socket: Connection | null = null;
  #window: Timer | null = null;
  #received = 0;
  #readingPaused = false;
  #ended = false;
  /** What was replayed and not yet taken by the network is not the reader's fault. */
  #replayedBytes = 0;

  constructor(options: ResumableLineOptions) {
    this.#options = options;
    this.#journal = new Journal(options.room, options.maxUnsentBytes);
  }

  /** Frames of the client's, on all its sockets. */
  get received(): number {
    return this.#received;
  }

  /** The first socket; `open` makes the session's end. */
  begin(socket: Connection, open: (line: Connection) => ResumableListener): ConnectionListener {
    this.#socket = socket;
    const listener = open(this);
    if (this.#ended) return listener; // It could not be opened.
    this.#listener = listener;
    return this.#from(socket);
  }

  /** The client has the first `count` events. */
  acknowledge(count: number): void {
    this.#journal.acknowledge(count);
  }

  /** Whether a client that has the first `count` events misses none that is known no more. */
  canGoOnAfter(count: number): boolean {
    return !this.#ended && this.#journal.since(count) !== null;
  }

  /** The client is back on another socket, with the first `count` events; the one before is closed. */
  resume(socket: Connection, count: number): ConnectionListener {
    const missed = this.#journal.since(count);
    if (missed === null || this.#ended) {
      socket.close(CLOSE_SLOW_READER, 'what was missed is not known any more');
      return { onText() {}, onBinary() {}, onClose: this.#options.onSocketClosed };
    }
    this.#lose('resumed on another connection', CLOSE_NORMAL);
    this.#options.onSocketClosed(CLOSE_ABNORMAL);
    this.#window?.cancel();
    this.#window = null;
    this.#journal.acknowledge(count);
    this.#socket = socket;
    if (this.#readingPaused) socket.pauseReading(true);
    const [received, replayed] = [this.#received, missed.length];
    socket.send(JSON.stringify({ type: 'longcat.resumed', received, replayed }));
    this.#replayedBytes = missed.reduce((sum, { length }) => sum + length, 0);
    for (const event of missed) socket.send(event);
    this.#listener?.onLineBack?.();
    return this.#from(socket);
  }

  /** It ends, whether the client is there or waited for. */
  end(): void {
    this.close(CLOSE_GOING_AWAY, 'server closing');
  }

  send(frame: string | Uint8Array): void {
    if (this.#ended || typeof frame !== 'string') return;
    this.#journal.push(frame);
    const unread = this.#socket?.unsentBytes() ?? 0;
    if (unread <= this.#options.maxUnsentBytes) this.#replayedBytes = 0;
    if (unread - this.#replayedBytes > this.#options.maxUnsentBytes)
      this.#lose('slow reader', CLOSE_SLOW_READER);
    else this.#socket?.send(frame);
  }

  /** A socket that does not read is lost, the session is not: see `send`. */
  unsentBytes(): number {
    return 0;
  }

  pauseReading(paused: boolean): void {
    this.#readingPaused = paused;
    this.#socket?.pauseReading(paused);
  }

  close(code: number, reason: string): void {
    const socket = this.#socket;
    this.#socket = null;
    if (socket) socket.close(code, reason);
    if (!this.#ended) this.#finish(code, reason);
  }

  /** What one socket tells, as long as it is the line's. */
  #from(socket: Connection): ConnectionListener {
    const isCurrent = () => this.#socket === socket;
    return {
      onText: text => isCurrent() && this.#take(listener => listener.onText(text)),
      onUtf8: text =>
        isCurrent() &&
        this.#take(listener =>
          listener.onUtf8 ? listener.onUtf8(text) : listener.onText(Buffer.from(text).toString()),
        ),
      onBinary: bytes => isCurrent() && this.#take(listener => listener.onBinary(bytes)),
      onClose: (code, reason) => {
        if (!isCurrent()) return;
        if (code === CLOSE_ABNORMAL) this.#lose(reason, code);
        else {
          this.#socket = null;
          this.#finish(code, reason);
        }
      },
    };
  }

  #take(hand: (listener: ResumableListener) => void): void {
    this.#received += 1;
    if (this.#listener) hand(this.#listener);
  }

  /** The socket is gone, or is given up; the session waits. */
  #lose(reason: string, code: number): void {
    const socket = this.#socket;
    if (!socket) return;
    this.#socket = null;
    if (code !== CLOSE_ABNORMAL) socket.close(code, reason);
    this.#listener?.onLineLost?.();
    this.#window = this.#options.clock.setTimer(this.#options.windowMs, () =>
      this.close(CLOSE_ABNORMAL, 'not resumed'),
    );
  }

  #finish(code: number, reason: string): void {
    this.#ended = true;
    this.#window?.cancel();
    this.#window = null;
    this.#journal.clear();
    this.#options.onEnd();
    this.#listener?.onClose(code, reason);
  }
}
