/**
 * Keeps client events in order when they have to wait: behind a picture that is decoded, or because the connection has
 * had its share of this turn of the event loop. Without such a wait an event is handled within the call that brought
 * it, so audio takes no detour. From a few waiting events on nothing more is read from the connection, where its server
 * can do that; where it cannot, far too many end it, and so does keeping most of what is too much for the process
 * (waiting-room.ts).
 */
import type { Waits } from './waiting-room.ts';
import { LONG_TEXT_BYTES, textOf, WaitingTexts } from './waiting-texts.ts';
import type { Waiting, WorkQuota } from './work-quota.ts';

/** From here on reading pauses, */
const PAUSE_AT = { events: 256, bytes: 4 * 1024 * 1024 };
/** and until here it does. */
const RESUME_AT = { events: 64, bytes: 1024 * 1024 };
/** What a server that cannot pause reading may bring on top. A frame is always taken by an empty queue. */
const MAX_WAITING = { events: 16_384, bytes: 32 * 1024 * 1024 };

export interface EventQueueOptions {
  /** Never throws or rejects. */
  readonly handle: (text: string) => Promise<void> | void;
  /**
   * In place of `handle` for a text of more than 64 KB that came as UTF-8, for who makes no string of all of it. The
   * bytes are lent until it is done.
   */
  readonly handleLong?: (utf8: Uint8Array) => Promise<void> | void;
  /** More waits than may; nothing is taken any more. */
  readonly onFull: () => void;
  readonly pauseReading: (paused: boolean) => void;
  readonly quota: WorkQuota;
}

export class EventQueue implements Waiting, Waits {
  readonly #options: EventQueueOptions;
  #busy = false;
  #closed = false;
  #isPaused = false;
  readonly #texts: WaitingTexts;

  constructor(options: EventQueueOptions) {
    this.#options = options;
    this.#texts = new WaitingTexts(options.quota.room.blocks);
  }

  get waitingBytes(): number {
    return this.#texts.bytes;
  }

  /** Bytes are UTF-8, and only lent. */
  push(text: string | Uint8Array): void {
    if (this.#closed) return;
    const { quota } = this.#options;
    const isFree = !this.#busy && this.#texts.count === 0;
    if (isFree && quota.tryNow(this, () => this.#run(this.#owned(text)))) return;
    // Of a string in characters, of which none has less than a byte.
    if ((!isFree && this.#exceeds(MAX_WAITING, text.length)) || !quota.mayKeep(this, text.length)) {
      this.evict();
      return;
    }
    const before = this.#texts.bytes;
    this.#texts.push(text);
    quota.room.changed(this, this.#texts.bytes - before);
    if (this.#closed) return;
    if (!this.#isPaused && this.#exceeds(PAUSE_AT, 0)) this.#pause(true);
    if (!this.#busy) quota.enlist(this);
  }

  handleNext(): boolean {
    if (this.#busy) return false;
    const before = this.#texts.bytes;
    const text = this.#texts.shift(this.#options.handleLong !== undefined);
    if (text === undefined) return false;
    this.#options.quota.room.changed(this, this.#texts.bytes - before);
    if (this.#isPaused && !this.#exceeds(RESUME_AT, 0)) this.#pause(false);
    if (this.#texts.count === 0) this.#options.quota.drained(this);
    this.#run(text);
    return !this.#busy && this.#texts.count > 0;
  }

  evict(): void {
    this.clear();
    this.#options.onFull();
  }

  /** For good. */
  clear(): void {
    this.#closed = true;
    const { bytes } = this.#texts;
    this.#texts.clear();
    this.#options.quota.room.changed(this, -bytes);
    this.#options.quota.leave(this);
    if (this.#isPaused) this.#pause(false);
  }

  #exceeds({ events, bytes }: { readonly events: number; readonly bytes: number }, more: number): boolean {
    return this.#texts.count >= events || this.#texts.bytes + more > bytes;
  }

  #pause(paused: boolean): void {
    this.#isPaused = paused;
    this.#options.pauseReading(paused);
  }

  /** Of bytes that are only lent. */
  #owned(text: string | Uint8Array): string | Buffer {
    if (typeof text === 'string') return text;
    const isLong = this.#options.handleLong && text.length >= LONG_TEXT_BYTES;
    return isLong ? this.#texts.copyOf(text) : textOf(text);
  }

  #run(text: string | Buffer): void {
    const { handle, handleLong } = this.#options;
    const work = typeof text === 'string' ? handle(text) : handleLong!(text);
    if (work === undefined) {
      this.#return(text);
      return;
    }
    this.#busy = true;
    void work.then(() => {
      this.#return(text);
      this.#busy = false;
      if (this.#texts.count > 0) this.#options.quota.enlist(this);
    });
  }

  #return(text: string | Buffer): void {
    if (typeof text !== 'string') this.#texts.returned(text);
  }
}
