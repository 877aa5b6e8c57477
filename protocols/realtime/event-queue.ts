/**
 * Keeps client events in order when one of them has to wait (a picture being decoded). Without such a wait an event is
 * handled within the call that brought it, so audio takes no detour.
 */
const MAX_WAITING_EVENTS = 256;
const MAX_WAITING_CHARS = 32 * 1024 * 1024;

export class EventQueue {
  readonly #handle: (text: string) => Promise<void> | void;
  readonly #onFull: (text: string) => void;
  #busy = false;
  #waiting: string[] = [];
  #waitingChars = 0;

  /** `handle` never throws or rejects; `onFull` gets the event that found no place and is dropped. */
  constructor(handle: (text: string) => Promise<void> | void, onFull: (text: string) => void) {
    this.#handle = handle;
    this.#onFull = onFull;
  }

  push(text: string): void {
    if (!this.#busy) {
      this.#run(text);
    } else if (
      this.#waiting.length >= MAX_WAITING_EVENTS ||
      this.#waitingChars + text.length > MAX_WAITING_CHARS
    ) {
      this.#onFull(text);
    } else {
      this.#waiting.push(text);
      this.#waitingChars += text.length;
    }
  }

  clear(): void {
    this.#waiting = [];
    this.#waitingChars = 0;
  }

  #run(text: string): void {
    const work = this.#handle(text);
    if (work === undefined) return;
    this.#busy = true;
    void work.then(() => this.#drain());
  }

  #drain(): void {
    this.#busy = false;
    while (!this.#busy && this.#waiting.length > 0) {
      const text = this.#waiting.shift()!;
      this.#waitingChars -= text.length;
      this.#run(text);
    }
  }
}
