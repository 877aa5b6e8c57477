/**
 * Keeps client events in order when they have to wait: behind a picture that is decoded, or because the connection has had its
 * share of this turn of the event loop. Without such a wait an event is handled within the call that brought it, so audio
 * takes no detour. From a few waiting events on nothing more is read from the connection, where its server can do that; where it
 * cannot, far too many end it.
 */
import type { Waiting, WorkQuota } from './work-quota.ts';

/** From here on reading pauses, */
const PAUSE_AT = { events: 256, chars: 4 * 1024 * 1024 };
/** and until here it does. */
const RESUME_AT = { events: 64, chars: 1024 * 1024 };
/** What a server that cannot pause reading may bring on top. A frame is always taken by an empty queue. */
const MAX_WAITING = { events: 16_384, chars: 32 * 1024 * 1024 };

export interface EventQueueOptions {
  /** Never throws or rejects. */
  readonly handle: (text: string) => Promise<void> | void;
  /** More waits than may; nothing is taken any more. */
  readonly onFull: () => void;
  readonly pauseReading: (paused: boolean) => void;
  readonly quota: WorkQuota;
}

export class EventQueue implements Waiting {
  readonly #options: EventQueueOptions;
  #busy = false;
  #closed = false;
  #isPaused = false;
  /** Those from `#next` on wait. */
  #texts: string[] = [];
  #next = 0;
  #chars = 0;

  constructor(options: EventQueueOptions) {
    this.#options = options;
  }

  get #count(): number {
    return this.#texts.length - this.#next;
  }

  push(text: string): void {
    if (this.#closed) return;
    const { onFull, quota } = this.#options;
    const isFree = !this.#busy && this.#count === 0;
    if (isFree && quota.tryNow(this, () => this.#run(text))) return;
    if (!isFree && this.#exceeds(MAX_WAITING, text.length)) {
      this.clear();
      onFull();
      return;
    }
    this.#texts.push(text);
    this.#chars += text.length;
    if (!this.#isPaused && this.#exceeds(PAUSE_AT, 0)) this.#pause(true);
    if (!this.#busy) quota.enlist(this);
  }

  handleNext(): boolean {
    if (this.#busy || this.#count === 0) return false;
    const text = this.#texts[this.#next++];
    this.#chars -= text.length;
    if (this.#next >= 1024 || this.#count === 0) {
      this.#texts = this.#texts.slice(this.#next);
      this.#next = 0;
    }
    if (this.#isPaused && !this.#exceeds(RESUME_AT, 0)) this.#pause(false);
    this.#run(text);
    return !this.#busy && this.#count > 0;
  }

  /** For good. */
  clear(): void {
    this.#closed = true;
    this.#texts = [];
    this.#next = 0;
    this.#chars = 0;
    this.#options.quota.leave(this);
    if (this.#isPaused) this.#pause(false);
  }

  #exceeds({ events, chars }: { readonly events: number; readonly chars: number }, more: number): boolean {
    return this.#count >= events || this.#chars + more > chars;
  }

  #pause(paused: boolean): void {
    this.#isPaused = paused;
    this.#options.pauseReading(paused);
  }

  #run(text: string): void {
    const work = this.#options.handle(text);
    if (work === undefined) return;
    this.#busy = true;
    void work.then(() => {
      this.#busy = false;
      if (this.#count > 0) this.#options.quota.enlist(this);
    });
  }
}
